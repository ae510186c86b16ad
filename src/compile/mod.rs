//! Rank 6: the pipeline.
