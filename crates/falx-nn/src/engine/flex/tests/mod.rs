mod differences;
mod fifty_steps;
mod network;
mod operators;
mod peer;
mod prepared;
mod properties;
mod training;
