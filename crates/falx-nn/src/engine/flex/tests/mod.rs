mod network;
mod operators;
mod properties;
