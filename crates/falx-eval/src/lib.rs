//! Scores, baselines, intervals and the report for haemorrhage predictions.
