mod differences;
mod network;
mod operators;
mod properties;
