//! What the body of an optimiser updates: one parameter, or all that it takes as one vector.

use crate::base::Span;
use crate::ir::{Dim, Elem, InputKey, NodeId, Op, Type};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::bodies::sees_all;
use crate::sema::value::{Axis, Tensor, Value};
use crate::syntax::ast;
use std::sync::Arc;

pub struct Subject {
    /// What the body calls it: `param`, or `parameters`.
    pub target: &'static str,
    /// The parameters, with their types.
    pub parts: Arc<[(Arc<str>, Type)]>,
    /// The type of what the body sees.
    pub ty: Type,
    /// What its states are named by: the path of the parameter, or the first path and what stands for the others.
    pub name: Arc<str>,
}

impl Subject {
    /// `None` if there is no parameter of one of these paths.
    pub fn new(cx: &Elaborator<'_>, definition: &ast::Definition, paths: &[Arc<str>]) -> Option<Subject> {
        let part = |path: &Arc<str>| Some((path.clone(), cx.variables.find(path)?.ty.clone()));
        let parts: Arc<[(Arc<str>, Type)]> = paths.iter().map(part).collect::<Option<_>>()?;
        let (first, ty) = parts.first()?;
        Some(match sees_all(definition) {
            false => Subject { target: "param", ty: ty.clone(), name: first.clone(), parts },
            true => {
                let sizes: Vec<Dim> = parts.iter().map(|(_, ty)| ty.count()).collect();
                let size = sizes.iter().fold(Dim::ZERO, |sum, size| &sum + size);
                let name = format!("{first}+{}", parts.len() - 1).into();
                Subject { target: "parameters", ty: Type::new(Elem::Float, vec![size]), name, parts }
            }
        })
    }

    pub fn paths(&self) -> Vec<Arc<str>> {
        self.parts.iter().map(|(path, _)| path.clone()).collect()
    }

    /// The parameters as they are. `None` is reported.
    pub fn values(&self, cx: &mut Elaborator<'_>, span: Span) -> Option<Tensor> {
        self.joined(cx, span, |path, ty| Op::Param { path, ty })
    }

    /// Their gradients, which are inputs. `None` is reported.
    pub fn gradients(&self, cx: &mut Elaborator<'_>, span: Span) -> Option<Tensor> {
        self.joined(cx, span, |path, ty| Op::Input { name: InputKey::Gradient(path), ty })
    }

    fn joined(&self, cx: &mut Elaborator<'_>, span: Span, leaf: impl Fn(Arc<str>, Type) -> Op) -> Option<Tensor> {
        let mut vectors = Vec::new();
        for (path, ty) in self.parts.iter() {
            let tensor = cx.add(span, leaf(path.clone(), ty.clone()), Vec::new());
            if self.target == "param" {
                return Some(tensor);
            }
            let Value::Tensor(vector) = cx.with_shape(&tensor, &[Axis::new(ty.count())], span) else { return None };
            vectors.push(vector);
        }
        match vectors.as_slice() {
            [one] => Some(one.clone()),
            all => cx.join(all, 0, false, Elem::Float, span),
        }
    }

    /// The new value of each parameter, out of that of what the body sees. `None` is reported.
    pub fn new_values(&self, cx: &mut Elaborator<'_>, new: &Tensor, span: Span) -> Option<Vec<(Arc<str>, NodeId)>> {
        if self.target == "param" {
            return Some(self.parts.iter().map(|(path, _)| (path.clone(), new.node)).collect());
        }
        let parts = cx.parts_of_vector(new, &self.parts, span)?;
        parts.into_iter().map(|(path, tensor)| Some((path, cx.node(&tensor, span)?))).collect()
    }
}
