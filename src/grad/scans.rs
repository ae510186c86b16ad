//! TEMP
use super::sweep::RuleError;
use crate::ir::{Graph, NodeId, Scan};
pub fn differentiate(
    _graph: &mut Graph,
    _id: NodeId,
    _scan: &Scan,
    _adjoints: &[Option<NodeId>],
    _active: &[bool],
) -> Result<Vec<(usize, NodeId)>, RuleError> {
    Ok(Vec::new())
}
