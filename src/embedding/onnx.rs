//! The model: any sentence-transformers export for ONNX Runtime, loaded from a folder.
//!
//! Input names and the kind of output are read from the graph. If the graph has `token_type_ids`,
//! they are zeros. If the output has one vector per token, these are averaged over the mask.
//! Vectors are scaled to length one.

use std::{
    borrow::Cow,
    path::{Path, PathBuf, absolute},
    sync::{Arc, Mutex, PoisonError},
};

use ort::{
    environment::Environment,
    session::{Session, SessionInputValue, builder::GraphOptimizationLevel},
    value::TensorRef,
};

use super::{
    error::{EmbedError, EmbedStartError},
    tokenizer::{TextTokenizer, Tokens},
    worker::Encoder,
};

/// Preferred outputs, which have one vector for each text.
const POOLED: [&str; 2] = ["embedding", "sentence_embedding"];

/// ONNX Runtime has one environment per process, and its binding cannot make a second one.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// Loads the library on the first call. Later calls use the loaded one, whatever their path.
fn environment(library: &Path) -> Result<Environment, EmbedStartError> {
    let failed = |error: &dyn std::fmt::Display| EmbedStartError::Library(error.to_string());
    let mut slot = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*slot {
        return Ok(environment.clone());
    }
    // A relative path would first be searched next to the executable.
    let library = absolute(library).map_err(|error| failed(&error))?;
    let environment = ort::init_from(library)
        .map_err(|error| failed(&error))?
        .with_name("rushdesk")
        .with_telemetry(false)
        .build()
        .map_err(|error| failed(&error))?;
    Ok(slot.insert(environment).clone())
}

/// One session with its tokenizer. A session runs one batch at a time, so each thread has its own.
pub struct OnnxEncoder {
    session: Session,
    tokenizer: TextTokenizer,
    output: String,
    wants_types: bool,
    dim: usize,
}

impl OnnxEncoder {
    /// Loads the model and runs it once, so that the first request is not slow.
    ///
    /// # Errors
    /// When library or model cannot be loaded, or the model is not a sentence encoder.
    pub fn load(
        library: &Path,
        model: &Path,
        tokenizer: TextTokenizer,
    ) -> Result<Self, EmbedStartError> {
        let environment = environment(library)?;
        let session = session(&environment, model)
            .map_err(|error| EmbedStartError::Model(error.to_string()))?;
        let broken =
            |reason: String| EmbedStartError::Broken { path: PathBuf::from(model), reason };
        let output = output_name(&session).ok_or_else(|| broken("it has no output".to_owned()))?;
        let mut wants_types = false;
        for input in session.inputs() {
            match input.name() {
                "input_ids" | "attention_mask" => {}
                "token_type_ids" => wants_types = true,
                other => return Err(broken(format!("it asks for an unknown input {other:?}"))),
            }
        }
        let mut encoder = Self { session, tokenizer, output, wants_types, dim: 0 };
        encoder.dim = encoder.warm_up().map_err(|error| broken(error.to_string()))?;
        Ok(encoder)
    }

    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Runs short, long and many texts, so that the allocator's arena grows now and not during the
    /// first requests.
    fn warm_up(&mut self) -> Result<usize, ModelError> {
        const TEXT: &str = "Where is my order, and can I still change the address?";
        let text = self.tokenizer.tokens(TEXT).map_err(|_| ModelError::Tokenizer)?;
        let long = self.tokenizer.tokens(&TEXT.repeat(16)).map_err(|_| ModelError::Tokenizer)?;
        self.run(&[long])?;
        self.run(&vec![text.clone(); 16])?;
        let vectors = self.run(&[text])?;
        vectors.first().map(|vector| vector.len()).ok_or(ModelError::Shape)
    }

    fn run(&mut self, batch: &[Tokens]) -> Result<Vec<Arc<[f32]>>, ModelError> {
        let seq = batch.iter().map(|tokens| tokens.ids.len()).max().unwrap_or(0);
        let shape = [batch.len(), seq];
        let mut ids = vec![0_i64; batch.len() * seq];
        let mut mask = ids.clone();
        for (row, tokens) in batch.iter().enumerate() {
            for (column, &id) in tokens.ids.iter().enumerate() {
                ids[row * seq + column] = i64::from(id);
                mask[row * seq + column] = 1;
            }
        }
        let types = if self.wants_types { vec![0_i64; ids.len()] } else { Vec::new() };
        let mut inputs: Vec<(Cow<'_, str>, SessionInputValue<'_>)> = vec![
            ("input_ids".into(), TensorRef::from_array_view((shape, ids.as_slice()))?.into()),
            ("attention_mask".into(), TensorRef::from_array_view((shape, mask.as_slice()))?.into()),
        ];
        if self.wants_types {
            let types = TensorRef::from_array_view((shape, types.as_slice()))?;
            inputs.push(("token_type_ids".into(), types.into()));
        }
        let outputs = self.session.run(inputs)?;
        let output = outputs.get(&self.output).ok_or(ModelError::Shape)?;
        let (shape, values) = output.try_extract_tensor::<f32>()?;
        let shape: Vec<usize> =
            shape.iter().filter_map(|&size| usize::try_from(size).ok()).collect();
        match *shape.as_slice() {
            [rows, dim] if rows == batch.len() && dim > 0 => {
                values.chunks_exact(dim).map(|row| unit(row.to_vec())).collect()
            }
            [rows, columns, dim] if rows == batch.len() && columns == seq && dim > 0 => values
                .chunks_exact(seq * dim)
                .zip(batch)
                .map(|(row, tokens)| unit(mean(&row[..tokens.ids.len() * dim], dim)))
                .collect(),
            _ => Err(ModelError::Shape),
        }
    }
}

impl Encoder for OnnxEncoder {
    fn tokenize(&self, text: &str) -> Result<Tokens, EmbedError> {
        self.tokenizer.tokens(text)
    }

    fn embed(&mut self, batch: &[Tokens]) -> Result<Vec<Arc<[f32]>>, EmbedError> {
        self.run(batch).map_err(|error| {
            tracing::error!(%error, texts = batch.len(), "the embedding model failed");
            EmbedError::Failed
        })
    }
}

#[derive(Debug, thiserror::Error)]
enum ModelError {
    #[error("onnx runtime: {0}")]
    Runtime(#[from] ort::Error),
    #[error("its output is neither [batch, dim] nor [batch, seq, dim]")]
    Shape,
    #[error("its output is not a finite vector")]
    NotFinite,
    #[error("its tokenizer refused a plain text")]
    Tokenizer,
}

/// One thread and no spinning, because each of our threads has a session. The memory pattern is
/// off, because it would be kept for every batch shape that ever occurred.
fn session(environment: &Environment, model: &Path) -> Result<Session, ort::Error> {
    Session::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_memory_pattern(false)?
        .commit_from_file(model)
}

fn output_name(session: &Session) -> Option<String> {
    let names = || session.outputs().iter().map(|output| output.name());
    POOLED
        .into_iter()
        .find(|&pooled| names().any(|name| name == pooled))
        .or_else(|| names().next())
        .map(str::to_owned)
}

fn mean(tokens: &[f32], dim: usize) -> Vec<f32> {
    let mut sum = vec![0.0; dim];
    for token in tokens.chunks_exact(dim) {
        for (total, value) in sum.iter_mut().zip(token) {
            *total += value;
        }
    }
    // The vector is scaled to length one afterwards, so the sum works like the mean.
    sum
}

fn unit(mut vector: Vec<f32>) -> Result<Arc<[f32]>, ModelError> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if !length.is_finite() || length <= f32::EPSILON {
        return Err(ModelError::NotFinite);
    }
    for value in &mut vector {
        *value /= length;
    }
    Ok(vector.into())
}
