//! Draft or card to released: the one implementation of Releasable, the only way out of the device.
