//! Every tier of the 4-bit scan against sorting all scores.

use arbitrary::Arbitrary;

use crate::pq::PqCase;

/// Codes and tables.
#[derive(Arbitrary, Debug)]
pub struct Case<'a>(PqCase<'a>);

impl Case<'_> {
    /// Panics where a result differs.
    pub fn check(&self) {
        self.0.check_fast();
    }
}
