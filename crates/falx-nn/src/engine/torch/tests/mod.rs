mod agreement;
mod network;
mod operators;
