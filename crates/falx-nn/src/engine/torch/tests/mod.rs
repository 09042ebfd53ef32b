mod agreement;
mod network;
mod operators;
mod session;
