mod network;
mod operators;
mod prepared;
mod properties;
mod training;
