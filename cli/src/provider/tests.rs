use super::*;
use std::sync::Mutex;
use std::time::Duration;

/// A provider that answers what it is told, and remembers how many texts each call had.
struct Scripted {
    texts: usize,
    calls: Mutex<Vec<usize>>,
    answer: fn(usize) -> Result<Vec<Vec<f32>>, ProviderError>,
}

impl Provider for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }
    fn model(&self) -> &str {
        "two"
    }
    fn dimensions(&self) -> usize {
        2
    }
    fn limits(&self) -> Limits {
        Limits { texts: self.texts, tokens: None, call_tokens: None }
    }
    fn embed<'a>(&'a self, texts: &'a [String]) -> Answer<'a, Vec<Vec<f32>>> {
        self.calls.lock().unwrap().push(texts.len());
        let answer = (self.answer)(texts.len());
        Box::pin(async move { answer })
    }
}

fn scripted(answer: fn(usize) -> Result<Vec<Vec<f32>>, ProviderError>) -> Box<Scripted> {
    Box::new(Scripted { texts: 2, calls: Mutex::default(), answer })
}

fn three() -> Vec<String> {
    ["a", "b", "c"].map(String::from).to_vec()
}

/// The reason why the vectors of an answer to three texts are refused.
async fn refusal(answer: fn(usize) -> Result<Vec<Vec<f32>>, ProviderError>) -> String {
    match checked(scripted(answer).as_ref(), &three()).await {
        Err(ProviderError::WrongShape { reason } | ProviderError::WrongDimension { reason, .. }) => reason,
        other => panic!("not refused for its shape: {other:?}"),
    }
}

#[tokio::test]
async fn splits_into_calls_that_the_provider_takes() {
    let provider = scripted(|n| Ok(vec![vec![0.6, 0.8]; n]));
    assert_eq!(checked(provider.as_ref(), &three()).await, Ok(vec![vec![0.6, 0.8]; 3]));
    assert_eq!(*provider.calls.lock().unwrap(), [2, 1]);
}

#[tokio::test]
async fn an_empty_list_makes_no_call() {
    let provider = scripted(|_| panic!("called"));
    assert_eq!(checked(provider.as_ref(), &[]).await, Ok(Vec::new()));
}

#[tokio::test]
async fn refuses_a_wrong_number_of_vectors() {
    assert_eq!(refusal(|_| Ok(vec![vec![1.0, 0.0]])).await, "expected 2 vectors, not 1");
}

#[tokio::test]
async fn refuses_a_vector_of_the_wrong_dimension() {
    assert_eq!(refusal(|n| Ok(vec![vec![1.0]; n])).await, "expected 2 dimensions, not 1");
}

#[tokio::test]
async fn refuses_a_component_that_is_no_number() {
    assert_eq!(refusal(|n| Ok(vec![vec![1.0, f32::NAN]; n])).await, "component 1 of a vector is NaN");
    assert_eq!(refusal(|n| Ok(vec![vec![f32::INFINITY, 0.0]; n])).await, "component 0 of a vector is inf");
}

#[tokio::test]
async fn refuses_a_vector_without_a_direction() {
    assert!(refusal(|n| Ok(vec![vec![0.0, -0.0]; n])).await.contains("length zero"));
}

#[tokio::test]
async fn accepts_a_direction_too_small_for_single_precision_squares() {
    let provider = scripted(|n| Ok(vec![vec![1e-30, 0.0]; n]));
    assert!(checked(provider.as_ref(), &three()).await.is_ok());
}

#[tokio::test]
async fn a_rejected_row_counts_from_the_first_text_of_all_calls() {
    let provider = scripted(|n| match n {
        1 => Err(ProviderError::rejected(0, "too odd".into())),
        _ => Ok(vec![vec![1.0, 0.0]; n]),
    });
    let error = checked(provider.as_ref(), &three()).await.unwrap_err();
    assert_eq!(error, ProviderError::rejected(2, "too odd".into()));
    assert_eq!(error.to_string(), "text 2 was rejected: too odd");
}

#[tokio::test]
async fn a_wait_that_the_provider_asks_for_reaches_the_caller() {
    let busy = |_| Err(ProviderError::unavailable("busy".into(), Some(Duration::from_secs(7))));
    let error = checked(scripted(busy).as_ref(), &three()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
}

#[test]
fn an_unknown_provider_is_answered_with_those_that_there_are() {
    let error = open("acme", "all-MiniLM-L6-v2", 384).err().unwrap();
    assert_eq!(error.to_string(), "there is no provider \"acme\" here");
    assert_eq!(error.hint(), Some("the providers are: local, openai, ollama"));
}

#[test]
fn an_unknown_model_is_answered_with_those_that_there_are() {
    let error = open("local", "gte-small", 384).err().unwrap();
    assert_eq!(error.to_string(), "provider \"local\" has no model \"gte-small\"");
    assert_eq!(error.hint(), Some("its models are: all-MiniLM-L6-v2"));
}

#[test]
fn a_wrong_dimension_is_refused_at_once() {
    let error = open("local", "all-MiniLM-L6-v2", 1536).err().unwrap();
    assert_eq!(error.to_string(), "model all-MiniLM-L6-v2 has 384 dimensions, not 1536");
    assert!(matches!(error, ProviderError::WrongDimension { .. }));
}

#[test]
fn a_provider_can_move_between_the_threads_of_a_program() {
    fn movable<T: Send + Sync>(_: &T) {}
    movable(&open("local", "all-MiniLM-L6-v2", 384).unwrap());
}
