mod differences;
mod network;
mod operators;
mod peer;
mod properties;
mod training;
