//! The reply to a question that will be answered later.

const SAID: [(&str, &str); 5] = [
    (
        "en",
        "We are very busy right now, so I have kept your question. You do not have to wait or ask again: \
         the answer comes here, into this conversation, as soon as it is quieter.",
    ),
    (
        "de",
        "Gerade ist bei uns sehr viel los, deshalb habe ich Ihre Frage aufgehoben. Sie müssen nicht warten und \
         nicht noch einmal fragen: Die Antwort kommt hier in dieses Gespräch, sobald es ruhiger wird.",
    ),
    (
        "fr",
        "Il y a beaucoup de monde en ce moment, j’ai donc gardé votre question. Inutile d’attendre ou de la poser \
         à nouveau : la réponse arrivera ici, dans cette conversation, dès que ce sera plus calme.",
    ),
    (
        "es",
        "Ahora mismo hay mucha demanda, así que he guardado su pregunta. No hace falta que espere ni que vuelva a \
         preguntar: la respuesta llegará aquí, a esta conversación, en cuanto haya más calma.",
    ),
    (
        "it",
        "In questo momento siamo molto occupati, perciò ho conservato la sua domanda. Non deve aspettare né \
         chiedere di nuovo: la risposta arriverà qui, in questa conversazione, appena ci sarà più calma.",
    ),
];

/// In the language of `locale`, a BCP 47 tag; English if that language has no text here.
pub fn kept(locale: &str) -> &'static str {
    let language = locale.split('-').next().unwrap_or_default();
    let known = SAID.iter().find(|(name, _)| name.eq_ignore_ascii_case(language));
    known.unwrap_or(&SAID[0]).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_speaks_the_language_of_its_session() {
        assert!(kept("de-AT").starts_with("Gerade"));
        assert!(kept("FR").starts_with("Il y a"));
        for unknown in ["en-GB", "ja", ""] {
            assert!(kept(unknown).starts_with("We are very busy"), "{unknown}");
        }
    }
}
