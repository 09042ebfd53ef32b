use super::*;
use crate::zoo::{NetworkConfig, build};

#[test]
fn weights_come_back_as_they_went() {
    let graph = build(&NetworkConfig::default()).unwrap();
    let parameters = Parameters::initialise(&graph, 3);
    let bytes = save(&parameters).unwrap();
    assert_eq!(bytes, save(&parameters).unwrap());
    assert_eq!(load(&bytes, &graph).unwrap(), parameters);
    assert_ne!(Parameters::initialise(&graph, 4), parameters);
}

#[test]
fn foreign_weights_are_refused() {
    let graph = build(&NetworkConfig::default()).unwrap();
    assert!(matches!(
        load(b"no such file", &graph),
        Err(WeightsError::Format(_))
    ));
    let mut parameters = Parameters::initialise(&graph, 3);
    parameters.get_mut("fc2.bias").unwrap().shape = vec![2, 3];
    let misfit = load(&save(&parameters).unwrap(), &graph).unwrap_err();
    assert!(misfit.to_string().contains("fc2.bias"), "{misfit}");
    let none = load(&save(&Parameters::default()).unwrap(), &graph).unwrap_err();
    assert!(matches!(none, WeightsError::Missing { .. }));
}

mod files;
mod lies;
