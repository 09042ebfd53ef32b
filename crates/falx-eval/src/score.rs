//! Scores of one label beside the plain ones.

pub(crate) mod partial_auc;
