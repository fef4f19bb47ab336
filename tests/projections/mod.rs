//! Folds, and that replay equals live folding.

mod replay;
mod search_index;
