//! Values of attributes and metadata.

use std::sync::Arc;

use crate::error::{Error, Result};

/// A value, as far as characters need it.
#[derive(Debug, Clone)]
pub enum Value {
    /// `None`: the property has no value.
    Blocked,
    /// Numbers or truth values, one or many, by themselves or in tuples.
    Numbers(Arc<Numbers>),
    /// Strings, tokens or assets, one or many.
    Texts(Arc<Vec<Arc<str>>>),
    /// What brings in prims from elsewhere.
    Reaches(Arc<Vec<Reach>>),
    /// Anything else.
    Other,
}

/// Numbers in tuples of one width.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers {
    /// One tuple after the other; quaternions as `x y z w`, matrices row by row.
    pub values: Vec<f64>,
    /// The numbers in a tuple: 1, or 3 for a vector, 16 for a matrix.
    pub width: usize,
}

/// A layer or a prim that another one brings in.
#[derive(Debug, Clone, PartialEq)]
pub struct Reach {
    /// The file; empty for the layer itself.
    pub asset: Arc<str>,
    /// The path of the prim; empty for the one that the layer calls its default.
    pub prim: Arc<str>,
    /// Its time codes are multiplied by the second number, then the first one is added.
    pub clock: [f64; 2],
}

impl Value {
    /// A value of numbers.
    #[must_use]
    pub fn numbers(values: Vec<f64>, width: usize) -> Self {
        Self::Numbers(Arc::new(Numbers { values, width }))
    }

    /// A value of one text.
    #[must_use]
    pub fn text(text: Arc<str>) -> Self {
        Self::Texts(Arc::new(vec![text]))
    }

    /// The single number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Numbers(numbers) if numbers.values.len() == 1 => numbers.values.first().copied(),
            _ => None,
        }
    }

    /// The single text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Texts(texts) if texts.len() == 1 => texts.first().map(|text| &**text),
            _ => None,
        }
    }

    /// What it is, for messages.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Self::Blocked => "None".into(),
            Self::Numbers(numbers) if numbers.width == 1 => {
                format!("{} numbers", numbers.values.len())
            }
            Self::Numbers(numbers) => format!(
                "{} tuples of {} numbers",
                numbers.values.len() / numbers.width.max(1),
                numbers.width
            ),
            Self::Texts(texts) => format!("{} texts", texts.len()),
            Self::Reaches(reaches) => format!("{} references", reaches.len()),
            Self::Other => "a value of another kind".into(),
        }
    }
}

/// Memory that a file's values may take: a file can say in a few bytes that there are billions.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
    limit: usize,
}

impl Budget {
    /// What small files may take, whatever their size.
    const FLOOR: usize = 32 << 20;

    /// How much larger than a file its values may be.
    const FACTOR: usize = 16;

    /// For a file of so many bytes.
    pub fn new(file: usize) -> Self {
        let limit = file.saturating_mul(Self::FACTOR).max(Self::FLOOR);
        Self { left: limit, limit }
    }

    /// For so many bytes more.
    pub fn grow(&mut self, file: usize) {
        let more = file.saturating_mul(Self::FACTOR);
        self.left = self.left.saturating_add(more);
        self.limit = self.limit.saturating_add(more);
    }

    /// Takes `count` things of `size` bytes.
    ///
    /// # Errors
    /// [`Error::Format`] where they are more than is left.
    pub fn charge(
        &mut self,
        location: impl Fn() -> String,
        count: usize,
        size: usize,
    ) -> Result<()> {
        let left = count
            .checked_mul(size)
            .and_then(|bytes| self.left.checked_sub(bytes));
        self.left = left.ok_or_else(|| {
            Error::format(
                location(),
                format!(
                    "values of at most {} bytes in a file of this size",
                    self.limit
                ),
                format!("{count} more elements of {size} bytes"),
            )
        })?;
        Ok(())
    }
}
