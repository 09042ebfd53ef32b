mod network;
mod operators;
mod properties;
mod training;
