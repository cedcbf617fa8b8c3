//! Many values of one quantity, and what is told of them.

/// Sorted, and never empty.
#[derive(Clone, Debug)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// None where there are no values.
    pub fn new(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        (!values.is_empty()).then_some(Self(values))
    }

    pub fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        match self.0.len() % 2 {
            0 => f64::midpoint(self.at(middle.saturating_sub(1)), self.at(middle)),
            _ => self.at(middle),
        }
    }

    /// A tenth of the values is less or equal.
    pub fn low(&self) -> f64 {
        self.at(self.0.len() / 10)
    }

    /// A tenth of the values is greater or equal.
    pub fn high(&self) -> f64 {
        self.at((self.0.len() * 9 / 10).min(self.0.len().saturating_sub(1)))
    }

    fn at(&self, index: usize) -> f64 {
        self.0.get(index).copied().unwrap_or(f64::NAN)
    }
}
