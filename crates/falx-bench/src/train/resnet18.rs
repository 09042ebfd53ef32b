//! torchvision's ResNet-18.

use falx_nn::zoo::NetworkConfig;
use falx_nn::{
    Add, BatchNormalization, Conv, Flatten, Gemm, GlobalAveragePool, Graph, GraphBuilder,
    GraphError, MaxPool, Relu, Value,
};

pub fn build(config: &NetworkConfig) -> Result<Graph, GraphError> {
    let mut graph = GraphBuilder::new("resnet18", &[config.channels, config.size, config.size]);
    let conv = |channels, size, stride| Conv {
        strides: [stride; 2],
        ..Conv::same(channels, size)
    };
    let norm = BatchNormalization::default;
    let mut x = graph.add("conv1", conv(64, 7, 2), &[Value::INPUT])?;
    x = graph.add("bn1", norm(), &[x])?;
    x = graph.add("relu", Relu, &[x])?;
    let pool = MaxPool {
        kernel: [3, 3],
        strides: [2, 2],
        pads: [1; 4],
        ceil_mode: false,
    };
    x = graph.add("maxpool", pool, &[x])?;
    for layer in 0..4 {
        for block in 0..2 {
            let (name, channels) = (format!("layer{}.{block}", layer + 1), 64 << layer);
            let stride = if layer > 0 && block == 0 { 2 } else { 1 };
            let mut shortcut = x;
            let mut y = graph.add(&format!("{name}.conv1"), conv(channels, 3, stride), &[x])?;
            y = graph.add(&format!("{name}.bn1"), norm(), &[y])?;
            y = graph.add(&format!("{name}.relu1"), Relu, &[y])?;
            y = graph.add(&format!("{name}.conv2"), conv(channels, 3, 1), &[y])?;
            y = graph.add(&format!("{name}.bn2"), norm(), &[y])?;
            if stride == 2 {
                let down = format!("{name}.downsample");
                shortcut = graph.add(&format!("{down}.0"), conv(channels, 1, 2), &[x])?;
                shortcut = graph.add(&format!("{down}.1"), norm(), &[shortcut])?;
            }
            y = graph.add(&format!("{name}.add"), Add::default(), &[y, shortcut])?;
            x = graph.add(&format!("{name}.relu2"), Relu, &[y])?;
        }
    }
    x = graph.add("avgpool", GlobalAveragePool, &[x])?;
    x = graph.add("flatten", Flatten, &[x])?;
    let fc = Gemm {
        features: config.outputs,
        bias: true,
    };
    x = graph.add("fc", fc, &[x])?;
    graph.output("logits", x).finish()
}
