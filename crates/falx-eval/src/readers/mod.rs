//! Several readers of the same cases: how far they agree, and where a model stands among them.
//!
//! * [`ReaderTable`] holds who said what; [`ReaderTable::majority`] is what most of them said.
//! * [`agreement`] gives Cohen's kappa of every pair, Fleiss' kappa and Krippendorff's alpha of all, and what distorts
//!   them: prevalence and bias.
//! * With a model's predictions it also says how the model agrees with each reader, with their majority, and whether it
//!   agrees with them as well as they do with each other.

mod agreement;
mod all;
mod judged;
mod model;
mod pair;
mod table;

pub use agreement::{PairAgreement, ReaderAgreement, ReaderReads, agreement};
pub use all::{AllReaders, FleissKappa, fleiss_kappa, krippendorff_alpha};
pub use judged::Readers;
pub(crate) use judged::{ScoredStudies, of};
pub use model::{AgainstReference, ModelAmongReaders, ModelReads};
pub use pair::PairTable;
pub use table::{ReadCase, ReaderTable, ReaderTableError, Votes};

#[cfg(test)]
mod tests;
