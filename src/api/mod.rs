//! The three APIs, called faces: each turns HTTP into calls of the engine and results into HTTP. A
//! handler parses, calls the engine and formats. Rules and SQL are elsewhere.

pub mod app;
pub mod bounds;
pub mod circumstances;
pub mod crafter;
pub mod documented;
pub mod face;
pub mod history;
pub mod metrics;
pub mod observe;
pub mod people;
pub mod range;
pub mod rejection;
pub mod routes;
pub mod v5;

pub use routes::openapi;
