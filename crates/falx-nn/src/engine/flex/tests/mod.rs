mod differences;
mod network;
mod operators;
mod peer;
mod prepared;
mod properties;
mod training;
