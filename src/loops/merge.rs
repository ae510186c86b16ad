//! Loop collapsing: indices of size 1 are left out, and indices that always move together become one.

use super::access::{Access, Form, Node, Work};

impl Work {
    /// Calls `visit` with everything that is linear in the indices.
    fn for_each_form(&mut self, mut visit: impl FnMut(&mut Form)) {
        let visit_access = |access: &mut Access, visit: &mut dyn FnMut(&mut Form)| {
            visit(&mut access.form);
            access.checks.iter_mut().for_each(|check| visit(&mut check.form));
        };
        for node in &mut self.nodes {
            match node {
                Node::Form(form) => visit(form),
                Node::Read(access) => visit_access(access, &mut visit),
                _ => {}
            }
        }
        visit_access(&mut self.write, &mut visit);
        visit(&mut self.reduced_number);
    }

    fn drop_index(&mut self, index: usize) {
        self.sizes.remove(index);
        self.reduced.remove(index);
        self.for_each_form(|form| {
            form.coefficients.remove(index);
        });
    }

    /// Whether one step of index `at` is as far as all steps of index `at + 1`, in every linear form.
    fn mergeable(&mut self, at: usize) -> bool {
        if self.reduced[at] != self.reduced[at + 1] || at + 1 == self.shared {
            return false;
        }
        let size = self.sizes[at + 1];
        let mut fits = true;
        self.for_each_form(|form| {
            fits &= form.coefficients[at] == size * form.coefficients[at + 1];
        });
        fits
    }
}

/// Leaves out indices of size 1 and joins indices, in all stages of a nest alike.
pub fn simplify(stages: &mut [Work]) {
    for stage in stages.iter_mut() {
        for index in (stage.shared..stage.sizes.len()).rev() {
            if stage.sizes[index] == 1 {
                stage.drop_index(index);
            }
        }
        for at in (stage.shared..stage.sizes.len().saturating_sub(1)).rev() {
            if stage.mergeable(at) {
                merge(stage, at);
            }
        }
    }
    let shared = stages[0].shared;
    for index in (0..shared).rev() {
        if stages.iter().all(|stage| stage.sizes[index] == 1) {
            for stage in stages.iter_mut() {
                stage.shared -= 1;
                stage.drop_index(index);
            }
        }
    }
    for at in (0..stages[0].shared.saturating_sub(1)).rev() {
        if stages.iter_mut().all(|stage| stage.mergeable(at)) {
            for stage in stages.iter_mut() {
                merge(stage, at);
                stage.shared -= 1;
            }
        }
    }
}

fn merge(stage: &mut Work, at: usize) {
    stage.sizes[at] *= stage.sizes[at + 1];
    stage.sizes[at + 1] = stage.sizes[at];
    stage.drop_index(at);
}
