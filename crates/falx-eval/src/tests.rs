use crate::*;
#[test]
fn losses() {
    assert!(log_loss(true, 0.0) > 34.0);
}
