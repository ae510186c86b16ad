//! Where the rows or the columns of a matrix lie.

/// The stride of a side that no single stride leads through.
pub const SCATTERED: isize = isize::MAX;

/// The rows or the columns of a matrix in memory: size and stride of each axis, outermost first; several axes only
/// where no single stride leads through all of them, as through the windows of a convolution.
#[derive(Clone, PartialEq, Debug)]
pub struct Side {
    /// Size and stride, in elements.
    pub axes: Vec<(i64, i64)>,
}

impl Side {
    /// Merges axes that one stride leads through.
    pub fn new(axes: Vec<(i64, i64)>) -> Side {
        let mut merged: Vec<(i64, i64)> = Vec::new();
        for (size, stride) in axes {
            match merged.last_mut() {
                Some((outer, step)) if *outer == 1 || *step == stride * size => {
                    (*outer, *step) = (*outer * size, stride);
                }
                Some(_) if size == 1 => {}
                _ => merged.push((size, stride)),
            }
        }
        Side { axes: merged }
    }

    /// The stride from each element to the next, if there is one.
    pub fn stride(&self) -> Option<i64> {
        match self.axes.as_slice() {
            [] => Some(1),
            [(_, stride)] => Some(*stride),
            _ => None,
        }
    }

    /// How far each element lies from the first, in elements.
    pub fn offsets(&self) -> Vec<i64> {
        let further = |offsets: Vec<i64>, (size, stride): &(i64, i64)| -> Vec<i64> {
            offsets.iter().flat_map(|offset| (0..*size).map(move |at| offset + at * stride)).collect()
        };
        self.axes.iter().fold(vec![0], further)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_merge_where_one_stride_leads_through_them() {
        let side = |axes: &[(i64, i64)]| Side::new(axes.to_vec());
        assert_eq!(side(&[(4, 9), (3, 3), (3, 1)]).axes, [(36, 1)]);
        assert_eq!(side(&[(4, 1), (1, 50), (3, 0)]).axes, [(4, 1), (3, 0)]);
        assert_eq!(side(&[(1, 7), (5, 2)]).stride(), Some(2));
        let windows = side(&[(2, 10), (3, 1)]);
        assert_eq!((windows.stride(), windows.offsets()), (None, vec![0, 1, 2, 10, 11, 12]));
    }
}
