mod network;
mod operators;
mod prepared;
mod peer;
mod properties;
mod training;
