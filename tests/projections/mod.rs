//! Folds, and that replay equals live folding.

mod folds;
mod replay;
mod rows_of_profiles;
mod rows_of_the_rest;
mod search_index;
