//! How our own kernels stand on Burn's tape.

use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::NoCheckpointing;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_backend::tensor::FloatTensor;
use burn_backend::{Shape, TensorData};
use burn_flex::{Flex, FlexTensor};

use crate::operators::buffers;

/// The back end of all values on the tape.
pub type Tape = Autodiff<Flex>;
/// A value on the tape.
pub type Tracked = FloatTensor<Tape>;

/// A plain buffer as a value of Burn's; nothing is copied.
pub fn tensor(shape: &[usize], data: Vec<f32>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(data, Shape::from(shape.to_vec())))
}

/// The numbers of a contiguous value.
pub fn numbers(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().unwrap_or_default()
}

/// What an operator of ours remembers until its gradient is asked for.
pub trait Recorded<const N: usize>: Clone + std::fmt::Debug + Send + 'static {
    /// The gradients of those inputs that are `wanted`, from the result's.
    fn gradients(&self, slopes: &FlexTensor, wanted: [bool; N]) -> [Option<FlexTensor>; N];

    /// The same from a gradient that may be changed and passed on.
    fn gradients_from(&self, slopes: FlexTensor, wanted: [bool; N]) -> [Option<FlexTensor>; N] {
        let gradients = self.gradients(&slopes, wanted);
        release(slopes);
        gradients
    }
}

/// Keeps the buffer of a value that nobody needs any more for others.
pub fn release(value: FlexTensor) {
    if value.is_unique()
        && let Ok(buffer) = value.into_data().try_into_vec()
    {
        buffers::give(buffer);
    }
}

#[derive(Debug)]
struct Step<R>(std::marker::PhantomData<fn() -> R>);

impl<R: Recorded<N>, const N: usize> Backward<Flex, N> for Step<R> {
    type State = R;

    fn backward(self, ops: Ops<R, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let slopes = gradients.consume::<Flex>(&ops.node).to_contiguous();
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let found = ops.state.gradients_from(slopes, wanted);
        drop(ops.state);
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                gradients.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

/// Puts `output`, computed from `inputs` by an operator of ours, on the tape.
pub fn record<R: Recorded<N>, const N: usize>(
    inputs: [&Tracked; N],
    recorded: R,
    output: FlexTensor,
) -> Tracked {
    let nodes = inputs.map(Tracked::node);
    let prepared = Step::<R>(std::marker::PhantomData).prepare::<NoCheckpointing>(nodes);
    match prepared.compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(recorded, output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    }
}
