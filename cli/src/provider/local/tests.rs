//! The local model against vectors of an independent implementation, and against texts and files that are no good.
//! `golden.json` was computed with a forward pass and a tokenizer written by hand; its figures are rounded to 7 digits.

use super::*;
use crate::provider::checked;
use serde::Deserialize;
use std::time::Duration;
use strata_core::embed::norm;

#[derive(Deserialize)]
struct Golden {
    text: String,
    repeat: usize,
    head: Vec<f32>,
    norm: f64,
    cosines: Vec<f64>,
}

fn golden() -> Vec<Golden> {
    serde_json::from_str(include_str!("golden.json")).unwrap()
}

fn model() -> Local {
    open(MODEL, DIMENSIONS).unwrap()
}

/// The vectors of these texts. Fails with what to do when the model is not installed.
async fn vectors(texts: &[String]) -> Vec<Vec<f32>> {
    must(checked(&model(), texts).await)
}

fn must<T>(made: Result<T, ProviderError>) -> T {
    made.unwrap_or_else(|error| panic!("{error}\nhint: {}", error.hint().unwrap_or("none")))
}

async fn rejection(texts: &[&str]) -> ProviderError {
    let texts: Vec<String> = texts.iter().map(|text| text.to_string()).collect();
    checked(&model(), &texts).await.expect_err("rejected")
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    dot(a, b) / (norm(a) * norm(b))
}

/// A folder of our own with links to the model's files, so that one of them can be replaced.
struct Folder(PathBuf);

impl Folder {
    fn without(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("strata-model-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for file in
            ["config.json", "tokenizer.json", "model.safetensors"].iter().filter(|file| **file != name)
        {
            let link = folder.join(file);
            std::fs::remove_file(&link).ok();
            std::os::unix::fs::symlink(must(files::folder(None)).join(file), link).unwrap();
        }
        Folder(folder)
    }

    async fn refusal(&self) -> ProviderError {
        Local::at(Some(self.0.clone())).embed(&["a text".to_owned()]).await.expect_err("refused")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

#[tokio::test]
async fn equals_an_independent_implementation() {
    let golden = golden();
    let texts: Vec<String> = golden.iter().map(|golden| golden.text.repeat(golden.repeat)).collect();
    let vectors = vectors(&texts).await;
    for (golden, vector) in golden.iter().zip(&vectors) {
        let head = cosine(&golden.head, &vector[..golden.head.len()]);
        assert!(head >= 0.99999, "cosine {head} of {:?}", golden.text);
        assert!((norm(vector) - golden.norm).abs() < 1e-6, "length {} of {:?}", norm(vector), golden.text);
        for (other, expected) in vectors.iter().zip(&golden.cosines) {
            let found = dot(vector, other);
            assert!((found - expected).abs() < 1e-5, "{found}, not {expected}, of {:?}", golden.text);
        }
    }
}

#[tokio::test]
async fn a_vector_does_not_depend_on_its_company() {
    let texts: Vec<String> = golden().into_iter().map(|golden| golden.text.repeat(golden.repeat)).collect();
    for (text, together) in texts.iter().zip(vectors(&texts).await) {
        let alone = vectors(std::slice::from_ref(text)).await.remove(0);
        assert!(cosine(&alone, &together) >= 0.999_999, "{text:?}");
    }
}

#[tokio::test]
async fn many_texts_come_back_in_their_order() {
    let texts: Vec<String> = (0..TEXTS + 9).map(|i| "word ".repeat(i % 7) + &i.to_string()).collect();
    let (all, last) = (vectors(&texts).await, vectors(&texts[texts.len() - 1..]).await);
    assert_eq!(all.len(), texts.len());
    assert!(cosine(&all[texts.len() - 1], &last[0]) >= 0.999_999);
}

#[tokio::test]
async fn an_empty_list_needs_no_model() {
    let nowhere = Local::at(Some(PathBuf::from("/strata-none")));
    assert_eq!(nowhere.embed(&[]).await, Ok(Vec::new()));
}

#[tokio::test]
async fn an_empty_text_is_rejected_by_its_row() {
    for nothing in ["", " \n\t", "\0\0"] {
        let error = rejection(&["a text", nothing]).await;
        assert!(matches!(error, ProviderError::Rejected { row: Some(1), .. }), "{nothing:?}: {error}");
    }
}

#[tokio::test]
async fn text_that_is_not_latin_is_embedded() {
    let texts = ["你好世界", "Καλημέρα κόσμε", "שלום עולם", "🙂🙃", "\u{202e}\u{301}x"].map(String::from);
    assert_eq!(vectors(&texts).await.len(), texts.len());
}

#[tokio::test]
async fn a_nul_within_a_text_is_passed_over() {
    let vectors = vectors(&["two\0 words".to_owned(), "two words".to_owned()]).await;
    assert_eq!(vectors[0], vectors[1]);
}

#[tokio::test]
async fn what_a_long_text_loses_is_counted() {
    let (model, texts) = (model(), ["a ".repeat(300), "short".into(), "a ".repeat(254)]);
    must(model.embed(&texts).await);
    assert_eq!(model.cut(), Cut { texts: 1, tokens: 300 + 2 - 256 });
}

#[tokio::test]
async fn a_very_long_text_equals_its_beginning() {
    let texts = ["é many words ".repeat(1_000_000), "é many words ".repeat(100)];
    let vectors = vectors(&texts).await;
    assert_eq!(vectors[0], vectors[1]);
}

#[tokio::test]
async fn a_missing_folder_is_named_with_the_next_step() {
    let error =
        Local::at(Some(PathBuf::from("/strata-none"))).embed(&["a text".to_owned()]).await.unwrap_err();
    assert!(matches!(error, ProviderError::Misconfigured { .. }));
    assert!(error.to_string().contains("/strata-none/config.json"), "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.contains("cargo xtask setup") && hint.contains("STRATA_MODEL_DIR"), "{hint}");
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let error = Folder::without("tokenizer.json").refusal().await;
    assert!(error.to_string().contains("tokenizer.json cannot be read"), "{error}");
}

#[tokio::test]
async fn truncated_weights_are_named_with_their_size() {
    let folder = Folder::without("model.safetensors");
    std::fs::write(folder.0.join("model.safetensors"), [0; 1000]).unwrap();
    let error = folder.refusal().await;
    assert!(matches!(error, ProviderError::Misconfigured { .. }));
    assert!(
        error.to_string().contains("model.safetensors is damaged or another model's: 1000 bytes"),
        "{error}"
    );
}

#[tokio::test]
async fn a_model_that_arrives_later_is_found_by_the_next_call() {
    let folder = Folder::without("config.json");
    let model = Local::at(Some(folder.0.clone()));
    assert!(model.embed(&["a text".to_owned()]).await.is_err());
    std::fs::copy(must(files::folder(None)).join("config.json"), folder.0.join("config.json")).unwrap();
    must(model.embed(&["a text".to_owned()]).await);
}

#[tokio::test]
async fn a_dropped_call_gives_up_its_work() {
    let (model, texts) = (Arc::new(model()), vec!["many words ".repeat(200); TEXTS]);
    must(model.embed(&texts[..1]).await);
    let call = tokio::time::timeout(Duration::from_millis(20), model.embed(&texts));
    assert!(call.await.is_err(), "{TEXTS} long texts were embedded in 20 ms");
    let engine = must(model.engine().await);
    let freed = async {
        // The thread holds a copy of the engine as long as it works.
        while Arc::strong_count(&engine) > 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(5), freed).await.is_ok(), "the thread works on");
}
