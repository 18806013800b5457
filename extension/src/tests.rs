//! The SQL surface, feature by feature. Each test is one transaction that is rolled back.

mod by_plan;
mod chunking;
mod contract;
mod delegation;
mod fixture;
mod granted_queue;
mod hierarchy;
mod hybrid;
mod install;
mod models;
mod queue;
mod queue_sources;
mod ranked;
mod runs;
mod search;
mod search_options;
mod search_path;
mod search_rights;
mod search_shape;
mod shapes;
mod sign_off;
mod sources;
mod state;
mod watch_row;
