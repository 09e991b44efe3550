//! Which lists there are: each file of `words/<language>`, with its languages, its sections and their
//! shapes.

use super::{
    format::{self, Groups, Pairs, Patterns, Phrases, Sequences, Shape, Text, Texts, Words},
    vocabulary::Vocabulary,
};

/// Name of the file, its languages, and its sections.
macro_rules! vocabularies {
    ($(
        $(#[$about:meta])*
        $name:ident: $file:literal in $($language:literal),+ {
            $( $(#[$what:meta])* $section:ident: $shape:ty, )+
        }
    )+) => {
        $(
            $(#[$about])*
            #[derive(Default)]
            pub struct $name {
                $( $(#[$what])* pub $section: $shape, )+
            }

            impl Vocabulary for $name {
                const FILES: &'static [(&'static str, &'static str)] = &[$((
                    $language,
                    include_str!(concat!(
                        env!("CARGO_MANIFEST_DIR"), "/words/", $language, "/", $file, ".txt"
                    )),
                )),+];

                fn section(&mut self, name: &str) -> Option<&mut dyn Shape> {
                    match name {
                        $( stringify!($section) => Some(&mut self.$section), )+
                        _ => None,
                    }
                }
            }
        )+

        /// Every line of every list, with its language.
        pub fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
            let files = [$( <$name as Vocabulary>::FILES ),+];
            files.into_iter().flatten().flat_map(|(language, text)| {
                format::entries(text).map(move |(_, line)| (*language, line))
            })
        }

        #[cfg(test)]
        fn checked() -> Vec<tests::Checked> {
            vec![$(
                tests::Checked::new::<$name>(stringify!($name), $file, &[$(stringify!($section)),+]),
            )+]
        }
    };
}

vocabularies! {
    /// The urgency of a question.
    Need: "need" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        /// About paying.
        checkout: Phrases,
        /// About orders.
        order: Phrases,
        /// Signs of a problem.
        trouble: Phrases,
        /// The shopper waits for something they bought.
        mine: Phrases,
    }

    /// What may mean the thing that a shopper looks at.
    Pointing: "pointing" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        words: Words,
        /// Of languages without spaces, and Arabic: also as a part of a word.
        inside: Words,
    }

    /// Messages that ask nothing.
    SmallTalk: "smalltalk" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        greetings: Words,
        thanks: Words,
        farewells: Words,
        nods: Words,
        /// "Yes" to what was offered.
        assents: Words,
        /// "No" to it. Alone they are no small talk.
        dissents: Words,
    }

    /// What the service says itself.
    Sentences: "sentences" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        greeting: Text,
        thanks: Text,
        farewell: Text,
        nod: Text,
        /// Nothing was found. It offers a person.
        unknown: Text,
        out_of_scope: Text,
        /// Topics to choose from follow.
        ask_back: Text,
        /// The message is nothing but a number.
        number: Text,
        /// The contact page follows.
        reach: Text,
        /// There is no contact page.
        no_person: Text,
        /// Words that find the contact page.
        contact: Text,
        /// Before an answer to a frustrated shopper.
        sorry: Text,
        /// Behind it.
        offer: Text,
        /// The question became a ticket.
        busy: Text,
        /// A person was asked for, and will come.
        person_comes: Text,
        /// The same, asked for again.
        person_waits: Text,
        /// `{position}` in the queue.
        place: Text,
        /// `{minutes}` until somebody comes.
        eta: Text,
        /// Nobody came. The contact page follows.
        nobody_came: Text,
        /// The same without a contact page.
        nobody_came_no_page: Text,
        /// The agent is gone, and somebody else comes.
        agent_left: Text,
        /// The same with nobody there. The contact page follows.
        agent_left_nobody: Text,
        /// The same without a contact page.
        agent_left_no_page: Text,
        /// When somebody is there again: `{day}`, `{time}`.
        hours: Text,
        /// From Monday, with commas between them.
        weekdays: Text,
        /// Names of topics, to choose from.
        technical: Text,
        billing: Text,
        orders: Text,
        returns: Text,
        shipping: Text,
        account: Text,
        product: Text,
        general: Text,
        human: Text,
    }

    /// What the service says about changes that it proposed.
    Actions: "actions" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        /// The shopper repeats what was proposed. A word or a phrase of it on each line.
        cancels: Phrases,
        changes: Phrases,
        returns: Phrases,
        /// What they do it to, and words around it.
        objects: Phrases,
        /// What a shopper says who confirms by a button. `{effect}` is the change in words.
        yes: Text,
        /// After the change in words.
        ask: Text,
        /// Neither yes nor no was said to it.
        still_open: Text,
        /// And who declines.
        no: Text,
        /// The shop was asked and has not answered.
        checking: Text,
        /// Nothing was changed, for no reason that is known.
        not_done: Text,
        done: Text,
        declined: Text,
        expired: Text,
        /// More changes than one shopper, or the shop, may have in a day.
        too_many: Text,
        /// The shop has sent a code, which the shopper types next.
        code_sent: Text,
        /// It was wrong, or typed too late: nobody can tell which.
        code_wrong: Text,
        /// Confirmed, and a person of the shop decides now.
        waiting: Text,
        /// That person said no.
        refused: Text,
        /// No person decided in time.
        unseen: Text,
        /// The shopper wants a change taken back that was just made. A phrase of it on each line.
        undoes: Phrases,
        /// The same, unless the message says what is wanted instead.
        regrets: Phrases,
        /// The button that does so; a shopper who presses it says this.
        undo: Text,
        /// After what was done. `{minutes}` is how long it can be taken back.
        can_undo: Text,
        /// It was taken back already, or the shop does not do so any more.
        no_undo: Text,
    }

    /// The sentence of each public error, for shoppers. The English ones are in the code.
    Problems: "problems" in "ar", "de", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        invalid_request: Text,
        idempotency_key_missing: Text,
        token_expired: Text,
        token_invalid: Text,
        forbidden: Text,
        origin_not_allowed: Text,
        not_found: Text,
        method_not_allowed: Text,
        request_timeout: Text,
        request_in_progress: Text,
        control_conflict: Text,
        turn_active: Text,
        conflict: Text,
        effect_changed: Text,
        identity_required: Text,
        stale_view: Text,
        nobody_on_duty: Text,
        agent_unavailable: Text,
        erased: Text,
        precondition_failed: Text,
        payload_too_large: Text,
        unsupported_media_type: Text,
        headers_too_large: Text,
        uri_too_long: Text,
        idempotency_key_reused: Text,
        schema_violation: Text,
        rate_limited: Text,
        proof_required: Text,
        overloaded: Text,
        draining: Text,
        dependency_unavailable: Text,
        upstream_timeout: Text,
        interrupted: Text,
        internal: Text,
    }

    /// Whether a shopper wants to talk to a person.
    Person: "person" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        /// Words for talking to a person.
        talk: Phrases,
        /// And for reaching one. A department that is reached is not talked to.
        contact: Phrases,
        /// Words for asking for one.
        want: Phrases,
        /// Persons of the shop.
        agents: Phrases,
        /// Any person.
        someone: Phrases,
        /// Departments of persons.
        desk: Phrases,
        /// A wish without more words.
        direct: Phrases,
        /// A wish as a whole clause.
        alone: Phrases,
        /// What may stand around it then.
        fillers: Phrases,
        /// Before a person these deny the wish, before a machine they express it.
        unwanted: Phrases,
        /// Right before a wish without more words, or right behind it, these deny it.
        negations: Phrases,
        /// These are said of machines only.
        weary: Phrases,
        machines: Phrases,
        /// Before a person or a machine these ask what the service is.
        asking: Phrases,
        /// These contain words of the other lists, but are no persons.
        things: Phrases,
    }

    /// What a message is about.
    Topics: "topics" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        technical: Phrases,
        billing: Phrases,
        orders: Phrases,
        returns: Phrases,
        shipping: Phrases,
        account: Phrases,
        product: Phrases,
        general: Phrases,
        out_of_scope: Phrases,
    }

    /// By which a language is known, if its letters do not tell.
    Language: "language" in "de", "en", "es", "fr", "it", "nl", "pl", "pt" {
        /// Frequent words.
        words: Phrases,
        /// Letters and parts of words that few languages have.
        letters: Words,
    }

    /// What frustration sounds like over the turns of a conversation.
    Mood: "mood" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        angry: Phrases,
        /// Something had to be said again, or does not go on.
        again: Phrases,
        /// Relief.
        glad: Phrases,
    }

    /// Sentences that try to steer the assistant.
    Injection: "injection" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        /// Against what the assistant was told.
        orders: Sequences,
        /// For what it keeps to itself.
        prompt: Sequences,
        /// For another role.
        role: Sequences,
        /// For what belongs to other shoppers.
        others: Sequences,
        /// For a promise in the shop's name.
        promise: Sequences,
        /// For tools.
        tools: Sequences,
        /// Only a hint.
        suspect: Sequences,
    }

    /// Insults and threats.
    Abuse: "abuse" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        insults: Sequences,
        threats: Sequences,
    }

    /// What the assistant says to attacks.
    Attack: "attack" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        /// To one that tries to steer it.
        refusal: Text,
        /// To one that only insults.
        calm: Text,
    }

    /// What a shopper wants done with an order, a product or a store, and what the service says about
    /// it. In sentences, `{name}` is filled in, and what stands in `<` and `>` is left out if
    /// there is nothing to fill in.
    Errands: "errands" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        /// The shopper's own order. A number of an order is read as `ordernumber`, and a placeholder as its
        /// kind, such as `emailmask`.
        own: Sequences,
        /// Where an order is.
        status: Sequences,
        /// Several orders of theirs.
        list: Sequences,
        cancel: Sequences,
        /// Another address for an order.
        address: Sequences,
        /// Sending something back.
        give_back: Sequences,
        /// How something is done as a rule, or no wish at all.
        general: Sequences,
        /// Not wanted.
        negated: Sequences,
        /// A change is asked about, feared or thought of, and not wanted now: "why was it cancelled?"
        held: Sequences,
        /// Something else about an order than what a tool does.
        other: Sequences,
        /// Asks for a product. No part of its name.
        search: Sequences,
        /// Things that shops sell.
        goods: Sequences,
        /// Words that say nothing about a product or a number.
        light: Sequences,
        /// A size follows.
        sizes: Sequences,
        /// The highest price follows.
        under: Sequences,
        /// The highest price stands before.
        under_behind: Sequences,
        /// Asks for a store nearby.
        stores: Sequences,
        /// A place follows.
        near: Sequences,
        /// A place stands before.
        near_behind: Sequences,
        /// The number of an order follows.
        called: Sequences,
        /// The number of a parcel follows.
        parcel: Sequences,
        /// A postcode follows.
        postcode: Sequences,
        /// Stands for an order that was named before.
        it: Sequences,
        /// All items.
        all: Sequences,
        /// The shopper does not have what was asked for.
        lost: Sequences,
        /// What follows is left out.
        except: Sequences,
        /// What stands before is left out.
        except_behind: Sequences,
        /// What follows is not left out any more.
        but: Sequences,
        /// A part is meant, and not the whole.
        only: Sequences,
        /// Something was not in the parcel.
        missing: Sequences,
        /// Asks more about a product that was shown.
        more_product: Sequences,
        /// Asks more about a store that was shown.
        more_store: Sequences,
        /// An address follows.
        to: Sequences,
        /// Behind an address. No part of it.
        instead: Sequences,
        /// Behind it stands what is no longer meant: "instead of".
        in_place_of: Sequences,
        /// Why something goes back, and how the shop calls that.
        reasons: Pairs,
        /// From January on, as in a date.
        months: Texts,
        /// Of a month, if it is said in another way.
        first_day: Text,
        date: Text,
        date_with_year: Text,
        /// An amount of 1234.50 euros.
        money: Text,
        /// Between two items of a list.
        comma: Text,
        /// Between the last two.
        and: Text,
        processing: Text,
        shipped: Text,
        /// It should have arrived.
        late: Text,
        delivered: Text,
        cancelled: Text,
        returned: Text,
        /// Any other state.
        unknown_state: Text,
        tracking: Text,
        orders: Text,
        no_orders: Text,
        order_line: Text,
        /// The name of a state.
        is_processing: Text,
        is_shipped: Text,
        is_delivered: Text,
        is_cancelled: Text,
        is_returned: Text,
        order: Text,
        state: Text,
        items: Text,
        total: Text,
        carrier: Text,
        tracking_number: Text,
        expected: Text,
        price: Text,
        sizes_in_stock: Text,
        new_address: Text,
        reason: Text,
        too_small: Text,
        too_large: Text,
        damaged: Text,
        wrong_item: Text,
        not_as_described: Text,
        changed_mind: Text,
        refund: Text,
        returnable: Text,
        which_items: Text,
        /// About the only item.
        this_item: Text,
        /// Why nothing can be sent back.
        return_not_delivered: Text,
        return_too_late: Text,
        return_final_sale: Text,
        return_already_returned: Text,
        return_cancelled: Text,
        return_refused: Text,
        in_stock: Text,
        in_stock_in_size: Text,
        sold_out_in_size: Text,
        sold_out: Text,
        in_stores: Text,
        products: Text,
        product_line: Text,
        no_products: Text,
        stores_near: Text,
        all_stores: Text,
        store_line: Text,
        no_stores: Text,
        /// The exact effect of an action.
        cancels: Text,
        reinstates: Text,
        changes_address: Text,
        starts_return: Text,
        /// What was done.
        cancelled_now: Text,
        reinstated: Text,
        address_changed: Text,
        return_started: Text,
        return_label: Text,
        /// Why the shop refused an action.
        already_shipped: Text,
        too_late: Text,
        already_cancelled: Text,
        already_returned: Text,
        not_delivered: Text,
        refused: Text,
        /// After wrong guesses.
        too_many_tries: Text,
        /// The same for an unknown number and for a wrong address.
        not_found: Text,
        identity: Text,
        unavailable: Text,
        busy: Text,
        ask_order: Text,
        ask_proof: Text,
        ask_both: Text,
        ask_address: Text,
        /// Something of the address is missing.
        ask_rest: Text,
        rest: Text,
        street: Text,
        the_postcode: Text,
        town: Text,
        /// An order cannot be cancelled in part.
        only_whole: Text,
        /// The shopper does not have what was asked for.
        other_ways: Text,
        /// After a proposal: the orders that come next.
        comes_next: Text,
        ask_product: Text,
        ask_place: Text,
        give_up: Text,
        explain_tracking: Text,
    }

    /// Data for the search of the knowledge. Folded like its words, so without accents.
    Search: "search" in "de", "en", "es", "fr" {
        /// Function words, and words that shoppers add to any question.
        stop_words: Words,
        /// Words of questions that ask for a number.
        asks_for_number: Words,
        /// A full stop after these does not end a sentence.
        abbreviations: Words,
        /// Behind a day and its full stop, which ends no sentence.
        months: Words,
    }

    /// What a question asks for, and what answers it. Folded like the words of the search.
    Asking: "asking" in "de", "en", "es", "fr" {
        how_long: Phrases,
        how_much: Phrases,
        how_many: Phrases,
        place: Phrases,
        when: Phrases,
        /// Something went wrong, and the shopper wants to know what to do.
        what_now: Phrases,
        /// A yes or a no is wanted.
        whether: Phrases,
        /// The steps of something.
        how: Phrases,
        why: Phrases,
        /// Shops that one can enter.
        stores: Phrases,
        /// Units of time.
        durations: Words,
        /// Days and parts of them.
        times: Words,
        months: Pairs,
        /// After these a month has the end of a span.
        until: Words,
        money: Words,
        /// A price of nothing, or one without a number.
        free: Phrases,
        /// Numbers in words.
        numbers: Words,
        /// A later question that needs the earlier one.
        links: Phrases,
        /// The shopper corrects themselves.
        corrections: Phrases,
        /// Stand for something named before.
        pronouns: Words,
        /// Before the thing of a question.
        prepositions: Words,
        /// Another question may begin with one of these.
        joints: Phrases,
        /// First words of a question.
        openers: Phrases,
        /// What shoppers say, and the words that the pages of shops have for it.
        meant: Pairs,
    }

    /// Names of places.
    Places: "places" in "de", "en", "es", "fr" {
        /// And the code of ISO 3166.
        countries: Pairs,
        regions: Pairs,
        /// Before a region these mean all but that region.
        outside: Phrases,
        /// Any place.
        abroad: Phrases,
        only: Phrases,
        /// And the code of the country.
        cities: Pairs,
        /// Names of cities in other languages.
        aliases: Pairs,
    }

    /// What an answer from the pages says itself.
    Answers: "answers" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        /// `{place}` is what was asked for, `{places}` where the stores are.
        no_store: Text,
        stores: Text,
        not_named: Text,
        /// Of several questions some have no answer.
        rest: Text,
    }

    /// Words that shoppers and shops use interchangeably.
    /// What words of shoppers are in English.
    Glossary: "glossary" in "de", "es" {
        words: Pairs,
    }

    Synonyms: "synonyms" in "en" {
        /// Words of a group are interchangeable.
        groups: Groups,
        /// Two words close to each other, and the word that they mean together.
        phrases: Pairs,
    }

    /// The words around a number that show what it is.
    Personal: "personal" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "ru", "zh" {
        /// Has a number of the shop: order, tracking, invoice, article, ticket.
        shop: Words,
        /// Of the shop, and has a number only where that is said: "delivery number".
        around: Words,
        phone: Words,
        card: Words,
        ssn: Words,
        /// A bank account.
        account: Words,
        iban: Words,
        passport: Words,
        /// A driving licence.
        licence: Words,
        /// Another number that is none of these, such as an amount.
        other: Words,
        sizes: Words,
        /// Has four numbers with dots that are no address.
        versions: Words,
        /// "number", "no".
        numbers: Words,
        /// Words that may stand between such a word and its number.
        fillers: Words,
        /// What may stand there, too, but does not name a number of the shop.
        prepositions: Words,
        /// "is"
        links: Words,
        /// They part a number that is typed in pieces.
        parts: Words,
        /// The end of a number follows.
        last: Words,
        digits: Words,
        mail: Words,
        /// Words before an at sign that are no part of an address.
        not_names: Words,
    }

    /// The words around the names, addresses and birth dates of people.
    People: "people" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "ru", "zh" {
        /// A name follows.
        introductions: Words,
        /// Somebody is asked for a name.
        names_asked: Words,
        /// A name stands before them.
        closings: Words,
        /// But these are none.
        never: Words,
        /// The names of these are no names of people.
        things: Words,
        /// A postcode follows.
        postcodes: Words,
        /// The date of somebody's birth follows.
        births: Words,
        months: Words,
        /// "street", after its name.
        streets_after: Words,
        /// "rue", before its name.
        streets_before: Words,
        /// "strasse", the end of its name.
        street_endings: Words,
        /// "flat": its number follows that of the house.
        units: Words,
        /// A number follows.
        boxes: Words,
        /// What has such a word is an amount or a time, and no address.
        amounts: Words,
        /// Names of things.
        brands: Words,
        /// A name before one of them is one of a firm or a thing.
        firms: Words,
        /// Two of these in lower case name nobody.
        scenery: Words,
        /// "mount": what follows is no person.
        landforms: Words,
        /// A thing may follow them, but no address, and no name that nobody has.
        articles: Words,
        /// A place follows.
        toward: Words,
        /// A text with one of them may be about places.
        reaching: Words,
        /// "or", between two of a kind.
        either: Words,
    }

    /// The words of secrets that people type.
    Secrets: "secrets" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "ru", "zh" {
        password: Words,
        /// A PIN or a one-time code.
        pin: Words,
        /// A number near them is a one-time code, unless it is one of the shop.
        codes: Words,
        /// The digits that protect a card.
        cvv: Words,
        /// "662 is written on the back"
        shows: Words,
        /// A key of a program.
        token: Words,
        /// "I changed my password to" needs one of them.
        setting: Words,
        /// "to", after them.
        to: Words,
        /// They follow "my password is" and are no password.
        states: Words,
        /// They may stand between "my password is" and the password.
        hedges: Words,
        /// "should": "my password should be" needs one of them and one of the next list.
        modals: Words,
        be: Words,
        /// "the password that I use"
        uses: Words,
        /// Phrases that may stand anywhere: "as far as I know".
        asides: Words,
        /// With them somebody says that a secret comes next.
        announcing: Words,
        /// With them nothing is announced.
        refusing: Words,
        /// "from": the old password follows.
        from: Words,
        /// Behind them stand a name and its password.
        logins: Words,
        /// But these are no such names.
        providers: Words,
        /// With them somebody asks for a secret.
        asking: Words,
    }

    /// Numbers and the signs of addresses in words.
    Spoken: "spoken" in "de", "en", "es", "fr", "it", "nl", "pl", "pt", "ru" {
        numbers: Pairs,
        /// How often the next digit is said.
        repeats: Pairs,
        plus: Words,
        at: Words,
        dot: Words,
        /// Other signs, and the words for them.
        signs: Pairs,
        /// Between tens and ones.
        joints: Words,
        /// Of domains that are said in words.
        endings: Words,
    }

    /// Whether a question is complete in itself, so that its answer may serve others.
    Policy: "policy" in "en" {
        /// The shopper says who they are.
        introductions: Words,
        /// Words outside the lexicon that a pronoun cannot refer to.
        no_nouns: Words,
        /// Replies to an earlier message.
        replies: Words,
        /// Words that refer to an earlier message.
        pointing: Words,
        greetings: Words,
        /// Single words that are a whole question in a shop.
        topics: Words,
        /// Actions that can also be things.
        deeds: Words,
        /// After "it" they make that word meaningless: "is it possible to".
        impersonal: Words,
        /// Words that connect a later question to the conversation before it.
        links: Words,
        /// First words of a complete request.
        openers: Words,
    }

    /// Words of customer service with the same meaning for the cache's guards.
    Lexicon: "lexicon" in "en" {
        /// Words without a meaning of their own.
        light: Words,
        /// Words that negate a statement.
        negations: Words,
        /// Words with another meaning than their stem.
        alone: Words,
        /// All forms with the stem of a word belong to its group, and each group has one meaning.
        actions: Groups,
        objects: Groups,
        /// Not things, but they must agree.
        signs: Groups,
        /// Words that mean something else together than alone, and their replacement.
        phrases: Pairs,
    }

    /// What a question says to ask, and nothing of its answer.
    Courtesy: "courtesy" in "en" {
        greetings: Sequences,
        openings: Sequences,
        /// Openings, together with a link behind them.
        asking: Sequences,
        links: Sequences,
        topics: Words,
        closings: Sequences,
        /// Function words.
        function: Words,
    }

    /// The spellings in a question's facts.
    Facts: "facts" in "en" {
        /// After these words the order matters.
        pointers: Words,
        /// Words for finished actions that do not end in "ed".
        done: Words,
        mine: Words,
        yours: Words,
        contractions: Pairs,
        numbers: Pairs,
        currencies: Pairs,
    }

    /// What a sentence of an answer claims.
    Claims: "claims" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        /// An answer begins with them.
        yes: Words,
        no: Words,
        /// They deny a statement.
        negations: Words,
        /// They deny everything else.
        only: Words,
        /// Words that say nothing about a shop.
        light: Words,
        /// Days and months, with one name in all languages.
        calendar: Pairs,
        /// They say how something is, or what happened to it.
        states: Words,
        /// What follows need not be so.
        conditions: Words,
        /// What is allowed or possible.
        modals: Words,
        /// Before the name of a place.
        towards: Words,
        /// "per", before what a price is for.
        rates: Words,
        /// They begin another statement.
        breaks: Words,
        /// "and"
        joins: Words,
        /// They leave nothing out.
        universal: Words,
        units: Pairs,
        numbers: Pairs,
        /// Countries and towns, with their English names.
        places: Pairs,
        /// Words of shops, with their English ones.
        same: Pairs,
        /// What only a tool or a person can do, after a pledge.
        deeds: Patterns,
        /// "I will"
        pledges: Phrases,
        /// "I can"
        able: Phrases,
        /// "we will"
        joint: Phrases,
        /// "has been"
        done: Phrases,
        /// What belongs to the shopper.
        own: Phrases,
        /// Whether goods can be had.
        stock: Phrases,
        /// Something is not known.
        unsure: Phrases,
        /// Politeness.
        talk: Phrases,
        /// Who speaks.
        introductions: Phrases,
        /// What we say ourselves: that nothing was found, and that the assistant cannot do it.
        honest: Texts,
    }

    /// How often an answer denies something.
    Denial: "denial" in "de", "en", "es", "fr", "it", "pt" {
        words: Words,
    }
}

#[cfg(test)]
mod tests;
