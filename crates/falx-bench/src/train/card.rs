//! What NVIDIA's own tool says of a card.

use std::process::Command;

use falx_nn::TorchDevice;

/// The memory in use on the card, by all processes; `None` for the processor and where the tool is missing.
pub fn used_mib(device: TorchDevice) -> Option<f64> {
    let TorchDevice::Cuda(card) = device else {
        return None;
    };
    let answer = Command::new("nvidia-smi")
        .args(["--query-gpu=memory.used", "--format=csv,noheader,nounits"])
        .arg(format!("--id={card}"))
        .output();
    let text = String::from_utf8(answer.ok()?.stdout).ok()?;
    text.trim().parse().ok()
}
