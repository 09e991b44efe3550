use super::{accounts::configured, *};
use crate::archive::{ArchiveError, Chunk, Document, DocumentChange, DocumentDeletion};

fn document(external_id: &str, hash: &str) -> Document {
    Document {
        site_id: site(),
        external_id: external_id.into(),
        version: 0,
        content_hash: hash.into(),
        title: "Rückgabe ↩".into(),
        format: "markdown".into(),
        body: "# 30 Tage".into(),
        tags: vec!["returns".into(), "été".into()],
        audience: None,
        locale: Some("de".into()),
        url: None,
        status: "ready".into(),
        created_at: at(0),
        updated_at: at(0),
    }
}

fn chunks(external_id: &str, count: u32) -> Vec<Chunk> {
    (0..count)
        .map(|ordinal| Chunk {
            external_id: external_id.into(),
            ordinal,
            heading: "Rückgabe".into(),
            text: format!("Teil {ordinal} 🙂"),
            embedder: "mini/int8".into(),
            vector: vec![0.25, -1.5, f32::MIN_POSITIVE, ordinal as f32],
        })
        .collect()
}

on_both! {
    async fn a_document_replaces_its_chunks_and_raises_both_versions(archive) {
        archive.put_sites(&[configured("demo", "pk_demo")], at(0)).await.unwrap();
        let first = archive.put_document(&document("returns", "h1"), &chunks("returns", 5), Some(0)).await.unwrap();
        assert_eq!(first, DocumentChange { version: 1, knowledge_version: 1 });
        let later = Document { created_at: at(7), updated_at: at(7), ..document("returns", "h2") };
        let second = archive.put_document(&later, &chunks("returns", 2), None).await.unwrap();
        assert_eq!(second, DocumentChange { version: 2, knowledge_version: 2 });
        let kept = archive.document(&site(), "returns").await.unwrap().unwrap();
        assert!(kept == Document { version: 2, created_at: at(0), ..later });
        assert!(archive.chunks(&site(), None, 10).await.unwrap() == chunks("returns", 2));
        assert_eq!(archive.knowledge_version(&site()).await.unwrap(), Some(2));
    }

    async fn a_document_that_changed_meanwhile_is_a_conflict(archive) {
        archive.put_sites(&[configured("demo", "pk_demo")], at(0)).await.unwrap();
        archive.put_document(&document("returns", "h1"), &[], None).await.unwrap();
        for expected in [0, 2] {
            let outcome = archive.put_document(&document("returns", "h2"), &[], Some(expected)).await;
            assert_eq!(outcome, Err(ArchiveError::Conflict));
        }
        assert_eq!(archive.knowledge_version(&site()).await.unwrap(), Some(1), "and raises nothing");
        archive.put_document(&document("returns", "h2"), &[], Some(1)).await.unwrap();
    }

    async fn documents_put_at_once_get_versions_of_their_own(archive) {
        archive.put_sites(&[configured("demo", "pk_demo")], at(0)).await.unwrap();
        let documents: Vec<_> = (0..8).map(|n| document(&format!("d{n}"), "h")).collect();
        let puts = documents.iter().map(|document| archive.put_document(document, &[], None));
        let changes = futures_util::future::join_all(puts).await;
        let mut versions: Vec<_> = changes.into_iter().map(|change| change.unwrap().knowledge_version).collect();
        versions.sort_unstable();
        assert_eq!(versions, (1..=8).collect::<Vec<_>>());
    }

    async fn a_deleted_document_takes_its_chunks_along(archive) {
        archive.put_sites(&[configured("demo", "pk_demo")], at(0)).await.unwrap();
        archive.put_document(&document("a", "h"), &chunks("a", 3), None).await.unwrap();
        archive.put_document(&document("b", "h"), &chunks("b", 1), None).await.unwrap();
        let deletion = archive.delete_document(&site(), "a").await.unwrap();
        assert_eq!(deletion, Some(DocumentDeletion { chunks: 3, knowledge_version: 3 }));
        assert_eq!(archive.delete_document(&site(), "a").await.unwrap(), None);
        assert_eq!(archive.knowledge_version(&site()).await.unwrap(), Some(3));
        assert!(archive.document(&site(), "a").await.unwrap().is_none());
        assert!(archive.chunks(&site(), None, 10).await.unwrap() == chunks("b", 1));
    }

    async fn documents_and_chunks_come_page_by_page(archive) {
        archive.put_sites(&[configured("demo", "pk_demo")], at(0)).await.unwrap();
        let names = ["a", "b", "Ça", "ça"];
        for name in names {
            archive.put_document(&document(name, "h"), &chunks(name, 3), None).await.unwrap();
        }
        let mut listed = archive.documents(&site(), None, 3).await.unwrap();
        let after = listed[2].external_id.clone();
        listed.extend(archive.documents(&site(), Some(&after), 3).await.unwrap());
        assert_eq!(listed.iter().map(|document| document.external_id.as_str()).collect::<Vec<_>>(), names);
        let mut seen: Vec<Chunk> = vec![];
        loop {
            let after = seen.last().map(|chunk| (chunk.external_id.clone(), chunk.ordinal));
            let after = after.as_ref().map(|(name, ordinal)| (name.as_str(), *ordinal));
            let page = archive.chunks(&site(), after, 5).await.unwrap();
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        assert!(seen == names.map(|name| chunks(name, 3)).concat());
    }

    async fn a_document_of_an_unknown_site_is_refused(archive) {
        let outcome = archive.put_document(&document("a", "h"), &[], None).await;
        assert_eq!(outcome.unwrap_err().as_str(), "corrupt");
        assert_eq!(archive.knowledge_version(&site()).await.unwrap(), None);
    }
}
