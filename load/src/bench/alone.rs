//! The throughput of the embedding model alone, which bounds every semantic hit.
//!
//! A separate program runs the model on the server's core: tokeniser and ONNX Runtime with one
//! thread, first one text at a time, then in batches of similar length.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use ort::{
    environment::Environment,
    session::{Session, builder::GraphOptimizationLevel},
    value::TensorRef,
};
use serde::{Deserialize, Serialize};
use tokenizers::Tokenizer;
use tokio::{process::Command, time::Instant};

use crate::{questions, rig::SERVER_CORE};

const LIBRARY: &str = "data/model/libonnxruntime.so";
const FOLDER: &str = "data/model/all-MiniLM-L6-v2";
const BATCH: usize = 16;
/// How many texts are tokenised and sorted together, as in a busy queue.
const POOL: usize = 256;

/// Texts per second of one core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelAlone {
    pub one_by_one: f64,
    pub in_batches: f64,
}

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[arg(long, default_value = LIBRARY)]
    pub library: PathBuf,
    /// Folder with model_int8.onnx (or model.onnx) and tokenizer.json.
    #[arg(long, default_value = FOLDER)]
    pub model_dir: PathBuf,
    /// Length of each of the two measurements.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
}

impl ModelAlone {
    pub fn best(&self) -> f64 {
        self.one_by_one.max(self.in_batches)
    }

    /// Runs the separate program; `None` without a model.
    ///
    /// # Errors
    /// If it fails.
    pub async fn measure(seconds: u64) -> anyhow::Result<Option<Self>> {
        if !Path::new(LIBRARY).exists() || !Path::new(FOLDER).exists() {
            return Ok(None);
        }
        let output = Command::new("taskset")
            .args(["-c", &SERVER_CORE.to_string()])
            .arg(std::env::current_exe()?)
            .args(["bench", "model", "--seconds", &seconds.to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .output()
            .await?;
        ensure!(output.status.success(), "the model alone failed");
        serde_json::from_slice(&output.stdout)
            .map(Some)
            .context("the output of the model alone cannot be parsed")
    }
}

/// Measures and prints as JSON.
///
/// # Errors
/// If the library, the model or the tokeniser cannot be used.
pub fn main(args: &Args) -> anyhow::Result<()> {
    let mut model = Model::load(args)?;
    let length = Duration::from_secs(args.seconds.max(1));
    // The arena grows before the measurement starts.
    model.run_for(Duration::from_millis(500), BATCH)?;
    let alone = ModelAlone {
        one_by_one: model.run_for(length, 1)?,
        in_batches: model.run_for(length, BATCH)?,
    };
    println!("{}", serde_json::to_string(&alone)?);
    Ok(())
}

/// The same settings as in the server.
fn session(environment: &Environment, file: &Path) -> Result<Session, ort::Error> {
    Session::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_memory_pattern(false)?
        .commit_from_file(file)
}

struct Model {
    session: Session,
    tokenizer: Tokenizer,
    wants_types: bool,
    asked: usize,
}

impl Model {
    fn load(args: &Args) -> anyhow::Result<Self> {
        let library = args.library.canonicalize().context("no ONNX Runtime: `make model` first")?;
        let environment = ort::init_from(library)?.with_name("load").build()?;
        let file = ["model_int8.onnx", "model.onnx"].map(|name| args.model_dir.join(name));
        let file = file.into_iter().find(|file| file.is_file()).context("no model")?;
        let session = session(&environment, &file)?;
        let mut tokenizer = Tokenizer::from_file(args.model_dir.join("tokenizer.json"))
            .map_err(|error| anyhow::anyhow!("the tokeniser: {error}"))?;
        tokenizer.with_padding(None);
        let wants_types = session.inputs().iter().any(|input| input.name() == "token_type_ids");
        Ok(Self { session, tokenizer, wants_types, asked: 0 })
    }

    /// Returns texts per second.
    fn run_for(&mut self, length: Duration, batch: usize) -> anyhow::Result<f64> {
        let (begun, mut done) = (Instant::now(), 0);
        while begun.elapsed() < length {
            let mut texts = Vec::with_capacity(POOL);
            for _ in 0..POOL {
                let text = questions::wording(self.asked % questions::WORDINGS);
                self.asked += 1;
                let encoded = self.tokenizer.encode_fast(text, true);
                let encoded = encoded.map_err(|error| anyhow::anyhow!("the tokeniser: {error}"))?;
                texts.push(encoded.get_ids().to_vec());
            }
            if batch > 1 {
                texts.sort_by_key(Vec::len);
            }
            for texts in texts.chunks(batch) {
                self.embed(texts)?;
                done += texts.len();
            }
        }
        Ok(f64::from(u32::try_from(done)?) / begun.elapsed().as_secs_f64())
    }

    fn embed(&mut self, texts: &[Vec<u32>]) -> anyhow::Result<()> {
        let longest = texts.iter().map(Vec::len).max().unwrap_or(0);
        let shape = [texts.len(), longest];
        let (mut ids, mut mask) = (vec![0_i64; texts.len() * longest], Vec::new());
        mask.resize(ids.len(), 0_i64);
        for (row, text) in texts.iter().enumerate() {
            for (column, id) in text.iter().enumerate() {
                ids[row * longest + column] = i64::from(*id);
                mask[row * longest + column] = 1;
            }
        }
        let types = vec![0_i64; ids.len()];
        let mut inputs = ort::inputs! {
            "input_ids" => TensorRef::from_array_view((shape, ids.as_slice()))?,
            "attention_mask" => TensorRef::from_array_view((shape, mask.as_slice()))?,
        };
        if self.wants_types {
            let types = TensorRef::from_array_view((shape, types.as_slice()))?;
            inputs.push(("token_type_ids".into(), types.into()));
        }
        self.session.run(inputs)?;
        Ok(())
    }
}
