//! What a pickle may call: the few functions that make tensors and dictionaries, none of which is run.

use super::{Done, Machine};
use crate::weights::FormatError;
use crate::weights::pickle::{Global, Handle, Object, StorageKey, TensorView};

/// No tensor has more dimensions.
const MOST_DIMENSIONS: usize = 16;
/// Keys are small numbers, or addresses in old files.
const LONGEST_KEY: usize = 64;

impl Machine<'_> {
    pub(super) fn stack_global(&mut self) -> Done {
        let (name, module) = (self.pop()?, self.pop()?);
        let (Object::Text(module), Object::Text(name)) = (self.object(module), self.object(name))
        else {
            return self.broken("a name is no text");
        };
        let global = Global::named(module, name)?;
        self.push(Object::Global(global))
    }

    /// A state set on an object afterwards: `state_dict`'s `_metadata`, which holds no numbers.
    pub(super) fn build(&mut self) -> Done {
        self.pop()?;
        match self.top()? {
            Object::Dict(_) => Ok(()),
            other => {
                let kind = other.kind();
                self.broken(format!("it sets a state on {kind}"))
            }
        }
    }

    pub(super) fn reduce(&mut self) -> Done {
        let (arguments, callee) = (self.pop()?, self.pop()?);
        let Object::Tuple(arguments) = self.object(arguments) else {
            return self.broken("it calls without arguments");
        };
        let made = match (self.object(callee), arguments.as_slice()) {
            (Object::Global(Global::OrderedDict), []) => Object::Dict(Vec::new()),
            (Object::Global(Global::OrderedDict), &[pairs]) => {
                let pairs = self.dict_of(pairs)?;
                self.copied += pairs.len();
                Object::Dict(pairs)
            }
            (Object::Global(Global::RebuildParameter), &[tensor, ..]) => {
                match self.object(tensor) {
                    tensor @ Object::Tensor(_) => tensor.clone(),
                    other => return self.broken(format!("a parameter is {}", other.kind())),
                }
            }
            (Object::Global(Global::RebuildTensor), &[storage, offset, shape, strides, ..]) => {
                Object::Tensor(self.view(storage, offset, shape, strides)?)
            }
            (Object::Global(_), _) => {
                return self.broken("a call has other arguments than it takes");
            }
            (other, _) => return self.broken(format!("it calls {}", other.kind())),
        };
        self.push(made)
    }

    fn dict_of(&self, pairs: Handle) -> Result<Vec<(Handle, Handle)>, FormatError> {
        let Object::List(pairs) = self.object(pairs) else {
            return self.broken("a dictionary is made of something that is no list");
        };
        // One list could become a dictionary again and again.
        if self.copied + pairs.len() > self.bytes.len() {
            return self.broken("it copies more than it holds");
        }
        let pair = |&pair: &Handle| match self.object(pair) {
            Object::Tuple(pair) | Object::List(pair) => match pair.as_slice() {
                &[key, value] => Ok((key, value)),
                _ => self.broken("a dictionary's item is no pair"),
            },
            _ => self.broken("a dictionary's item is no pair"),
        };
        pairs.iter().map(pair).collect()
    }

    fn length(&self, handle: Handle) -> Result<usize, FormatError> {
        match *self.object(handle) {
            Object::Int(number) => {
                let number = isize::try_from(number).ok();
                let number = number.and_then(|number| usize::try_from(number).ok());
                number.map_or_else(
                    || self.broken("a length is negative or beyond all memory"),
                    Ok,
                )
            }
            _ => self.broken("a length is no whole number"),
        }
    }

    fn lengths(&self, handle: Handle) -> Result<Vec<usize>, FormatError> {
        match self.object(handle) {
            Object::Tuple(items) if items.len() <= MOST_DIMENSIONS => {
                items.iter().map(|&item| self.length(item)).collect()
            }
            _ => self.broken(format!("a shape is no tuple of at most {MOST_DIMENSIONS}")),
        }
    }

    fn view(
        &self,
        storage: Handle,
        offset: Handle,
        shape: Handle,
        strides: Handle,
    ) -> Result<TensorView, FormatError> {
        let Object::Storage(storage) = self.object(storage) else {
            return self.broken("a tensor has no storage");
        };
        let view = TensorView {
            storage: storage.clone(),
            offset: self.length(offset)?,
            shape: self.lengths(shape)?,
            strides: self.lengths(strides)?,
        };
        if view.shape.len() == view.strides.len() {
            Ok(view)
        } else {
            self.broken("a tensor has another number of strides than of dimensions")
        }
    }

    /// `("storage", type, key, location, length)`, in old files with a sixth: the part of another storage.
    pub(super) fn persistent(&mut self) -> Done {
        let id = self.pop()?;
        let Object::Tuple(id) = self.object(id) else {
            return self.broken("what lies outside has no id");
        };
        let &[_, kind, key, _, length, ref part @ ..] = id.as_slice() else {
            return self.broken("what lies outside has an incomplete id");
        };
        let &Object::Global(Global::Storage(element)) = self.object(kind) else {
            return self.broken("what lies outside is no storage");
        };
        let key = match self.object(key) {
            Object::Text(key) if key.len() <= LONGEST_KEY => key.clone(),
            Object::Int(key) => key.to_string(),
            _ => return self.broken("a storage has no key"),
        };
        let part = match part.first().map(|&part| self.object(part)) {
            None | Some(Object::None) => None,
            Some(Object::Tuple(part)) => match part.as_slice() {
                &[_, offset, length] => Some([self.length(offset)?, self.length(length)?]),
                _ => return self.broken("a part of a storage is incomplete"),
            },
            Some(_) => return self.broken("a part of a storage is no tuple"),
        };
        let length = self.length(length)?;
        self.push(Object::Storage(StorageKey {
            key,
            element,
            length,
            part,
        }))
    }
}
