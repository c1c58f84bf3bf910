//! Objects that the host names by number.

use core::any::Any;
use core::cell::RefCell;

use lowbit_kernels::error::{ErrorCode, KernelError, Op, Result, What};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::status;

thread_local! {
    /// Slot `i` is handle `i + 1`. A slot is never used twice, so a stale handle finds nothing.
    static OBJECTS: RefCell<Vec<Option<Box<dyn Any>>>> = const { RefCell::new(Vec::new()) };
}

/// Stores an object; its handle is above 0.
pub fn insert(op: Op, object: impl Any) -> Result<i32> {
    insert_any(op, Box::new(object))
}

#[inline(never)]
fn insert_any(op: Op, object: Box<dyn Any>) -> Result<i32> {
    OBJECTS.with_borrow_mut(|objects| {
        objects.try_reserve(1).map_err(|_| KernelError::memory(op, size_of::<Option<Box<dyn Any>>>()))?;
        objects.push(Some(object));
        Ok(objects.len() as i32)
    })
}

/// Calls `run` with the object behind `handle`, whatever it is.
#[cfg(feature = "threads")]
pub(crate) fn with_any<R>(op: Op, handle: i32, run: impl FnOnce(&dyn Any) -> Result<R>) -> Result<R> {
    OBJECTS.with_borrow(|objects| run(find(objects, op, handle)?))
}

/// Calls `run` with the object behind `handle`, which must be a `T`.
pub fn with<T: Any, R>(op: Op, handle: i32, run: impl FnOnce(&T) -> Result<R>) -> Result<R> {
    OBJECTS.with_borrow(|objects| {
        let other = KernelError::new(ErrorCode::Handle, op, What::Kind, 0, i64::from(handle));
        run(find(objects, op, handle)?.downcast_ref::<T>().ok_or(other)?)
    })
}

#[inline(never)]
fn find(objects: &[Option<Box<dyn Any>>], op: Op, handle: i32) -> Result<&dyn Any> {
    let slot = usize::try_from(handle).ok().and_then(|handle| objects.get(handle.wrapping_sub(1)));
    let missing =
        KernelError::new(ErrorCode::Handle, op, What::Handle, objects.len() as i64, i64::from(handle));
    slot.and_then(Option::as_deref).ok_or(missing)
}

/// Takes the objects behind `handles` away from the host, for another object to own. Where one is missing, those before it are gone too.
#[cfg(feature = "networks")]
pub(crate) fn take(op: Op, handles: &[i32]) -> Result<Vec<Box<dyn Any>>> {
    OBJECTS.with_borrow_mut(|objects| {
        let slots = objects.len() as i64;
        let mut taken = Vec::with_capacity(handles.len());
        for &handle in handles {
            let slot =
                usize::try_from(handle).ok().and_then(|handle| objects.get_mut(handle.wrapping_sub(1)));
            let missing = KernelError::new(ErrorCode::Handle, op, What::Handle, slots, i64::from(handle));
            taken.push(slot.and_then(Option::take).ok_or(missing)?);
        }
        Ok(taken)
    })
}

/// Frees the object. A handle that was never given out or was dropped before is a `Handle` error.
#[wasm_bindgen]
pub fn object_drop(handle: i32) -> i32 {
    let object = OBJECTS.with_borrow_mut(|objects| {
        let slot = usize::try_from(handle).ok().and_then(|handle| objects.get_mut(handle.wrapping_sub(1)));
        slot.and_then(Option::take)
    });
    let missing = KernelError::new(ErrorCode::Handle, Op::Object, What::Handle, 0, i64::from(handle));
    status(object.map(drop).ok_or(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_and_foreign_handles_are_refused() {
        let first = insert(Op::Object, 7_u8).unwrap();
        assert!(first > 0);
        assert_eq!(with::<u8, _>(Op::Object, first, |object| Ok(*object)), Ok(7));
        assert_eq!(with::<u16, _>(Op::Object, first, |_| Ok(())).map_err(|e| e.what), Err(What::Kind));
        assert_eq!(object_drop(first), 0);
        assert_eq!(object_drop(first), -(ErrorCode::Handle as i32));
        let second = insert(Op::Object, 8_u8).unwrap();
        assert_ne!(first, second);
        for handle in [first, 0, -1, i32::MIN, i32::MAX] {
            assert_eq!(
                with::<u8, _>(Op::Object, handle, |_| Ok(())).map_err(|e| e.code),
                Err(ErrorCode::Handle)
            );
        }
        assert_eq!(object_drop(second), 0);
    }
}
