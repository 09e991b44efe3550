//! The pages for browsers, embedded in the binary.

use actix_web::{
    HttpResponse, get,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, LOCATION},
    web,
};
use rust_embed::RustEmbed;

use super::{error::ApiError, security::ALONE, state::App};
use crate::domain::ErrorCode;

#[derive(RustEmbed)]
#[folder = "web/"]
struct Files;

#[get("/")]
pub async fn index(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let mut page = file("index.html")?;
    let policy = HeaderValue::from_str(app.origins.page_policy());
    let policy = policy.map_err(|_| ApiError::new(ErrorCode::Internal))?;
    page.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    Ok(page)
}

/// Asks for a new password. The link's token is in the fragment, which the browser sends to nobody;
/// the page itself is the same for all, and is not framed.
#[get("/reset")]
pub async fn reset() -> Result<HttpResponse, ApiError> {
    let mut page = file("reset.html")?;
    let policy = HeaderValue::from_static(ALONE);
    page.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    Ok(page)
}

/// For the people of a shop. It is the same for all until they sign in, and is not framed.
#[get("/console")]
pub async fn console() -> Result<HttpResponse, ApiError> {
    let mut page = file("console/index.html")?;
    let policy = HeaderValue::from_static(ALONE);
    page.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    Ok(page)
}

#[get("/assets/{name:.+}")]
pub async fn asset(name: web::Path<String>) -> Result<HttpResponse, ApiError> {
    file(&name)
}

/// The page of the API lives below its own folder.
#[get("/docs")]
pub async fn docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}

fn file(name: &str) -> Result<HttpResponse, ApiError> {
    let file = Files::get(name).ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
    Ok(HttpResponse::Ok()
        .content_type(file.metadata.mimetype())
        // The page and its parts must have the same version.
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(file.data.into_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::Files;

    fn text(name: &str) -> String {
        String::from_utf8(Files::get(name).unwrap().data.into_owned()).unwrap()
    }

    /// The words of each language by their keys.
    fn words() -> BTreeMap<String, BTreeMap<String, String>> {
        let files = Files::iter().filter_map(|name| {
            let language = name.strip_prefix("words/")?.strip_suffix(".json")?.to_owned();
            Some((language, serde_json::from_str(&text(&name)).unwrap()))
        });
        files.collect()
    }

    /// What is filled in, in a fixed order.
    fn gaps(words: &str) -> BTreeSet<&str> {
        words.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect()
    }

    #[test]
    fn the_page_has_every_word_in_eleven_languages() {
        let words = words();
        assert_eq!(words.len(), 11);
        for (language, translated) in &words {
            for (key, english) in &words["en"] {
                let there = translated.get(key).unwrap_or_else(|| panic!("{language}: {key}"));
                assert!(!there.trim().is_empty(), "{language}: {key}");
                assert_eq!(gaps(there), gaps(english), "{language}: {key}");
            }
            assert_eq!(translated.len(), words["en"].len(), "{language}");
            let listed = format!("\"{language}\"");
            assert!(text("language.js").contains(&listed), "{language} cannot be chosen");
            let same = words["en"].iter().filter(|(key, english)| translated[*key] == **english);
            assert!(language == "en" || same.count() < 12, "{language} is not translated");
        }
    }

    #[test]
    fn every_word_that_the_page_asks_for_exists_and_each_is_used() {
        let english = words().remove("en").unwrap();
        let mut asked: BTreeSet<String> = BTreeSet::new();
        let mut source = String::new();
        for name in Files::iter().filter(|name| name.ends_with(".js") || name.ends_with(".html")) {
            let text = text(&name);
            let marks = text.split("data-t=\"").skip(1).filter_map(|rest| rest.split('"').next());
            let parts = marks.flat_map(|mark| mark.split(';'));
            asked
                .extend(parts.filter_map(|part| part.split_whitespace().last()).map(str::to_owned));
            let calls = text.split(" t(\"").chain(text.split("(t(\"")).chain(text.split("[t(\""));
            let calls = calls.filter(|rest| !rest.starts_with("//"));
            asked.extend(calls.filter_map(|rest| {
                let (key, _) = rest.split_once('"')?;
                key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_').then(|| key.to_owned())
            }));
            source.push_str(&text);
        }
        asked.remove("");
        let unknown: Vec<_> = asked.iter().filter(|key| !english.contains_key(*key)).collect();
        assert!(asked.len() > 60, "{asked:?}");
        assert!(unknown.is_empty(), "{unknown:?}");
        let unused: Vec<_> = english
            .keys()
            .filter(|key| !asked.contains(*key) && !source.contains(&format!("\"{key}\"")))
            .collect();
        assert!(unused.is_empty(), "{unused:?}");
    }
}
