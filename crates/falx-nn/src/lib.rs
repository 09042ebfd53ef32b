//! A graph of ONNX operators, its zoo, and the engine that trains it.
