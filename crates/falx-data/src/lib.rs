//! Index, layouts, splits and the loader of batches.
