//! A network with one hidden layer, kept as plain data. `scripts/train/network.py` fits them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

use super::dot::dot;

/// Two layers as they are written: the hidden one and the output.
pub type Layers = [Written; 2];

#[derive(Deserialize)]
pub struct Written {
    /// Signed bytes in base64, of one output after the other.
    weights: String,
    scale: Vec<f32>,
    bias: Vec<f32>,
}

pub struct Network {
    hidden: Layer,
    output: Layer,
}

struct Layer {
    /// One row for each output.
    rows: Vec<Vec<f32>>,
    bias: Vec<f32>,
}

impl Network {
    /// `None` if the layers do not fit each other, or the output has another width than `outputs`.
    pub fn read([hidden, output]: &Layers, outputs: usize) -> Option<Self> {
        let (hidden, output) = (Layer::read(hidden)?, Layer::read(output)?);
        let fits = output.rows.len() == outputs && output.width() == hidden.rows.len();
        fits.then_some(Self { hidden, output })
    }

    /// One value for each output. `None` if the vector has another length than those that the
    /// network was fitted on.
    pub fn outputs(&self, vector: &[f32]) -> Option<Vec<f32>> {
        if vector.len() != self.hidden.width() {
            return None;
        }
        let mut hidden = self.hidden.outputs(vector);
        hidden.iter_mut().for_each(|value| *value = value.max(0.0));
        Some(self.output.outputs(&hidden))
    }
}

impl Layer {
    fn read(written: &Written) -> Option<Self> {
        let bytes = STANDARD.decode(&written.weights).ok()?;
        let outputs = written.scale.len();
        let width = bytes.len().checked_div(outputs)?;
        if width == 0 || bytes.len() != outputs * width || written.bias.len() != outputs {
            return None;
        }
        let rows = bytes.chunks_exact(width).zip(&written.scale).map(|(row, scale)| {
            row.iter().map(|byte| f32::from(i8::from_ne_bytes([*byte])) * scale).collect()
        });
        Some(Self { rows: rows.collect(), bias: written.bias.clone() })
    }

    fn width(&self) -> usize {
        self.rows.first().map_or(0, Vec::len)
    }

    fn outputs(&self, input: &[f32]) -> Vec<f32> {
        self.rows.iter().zip(&self.bias).map(|(row, bias)| dot(row, input) + bias).collect()
    }
}
