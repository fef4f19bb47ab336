//! Folds, and that replay equals live folding.

mod filtered_documents;
mod folds;
mod headers;
mod lanes;
mod listed_documents;
mod profile_attachments;
mod replay;
mod rows_of_profiles;
mod rows_of_the_rest;
mod search_index;
