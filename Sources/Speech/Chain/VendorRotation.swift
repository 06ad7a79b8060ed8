import Base

/// Which of a call's vendors is asked now, and which next when it fails. Pure.
///
/// The one that took over stays; those that refuse the account for good are not asked again.
struct VendorRotation: Hashable, Sendable {
    let count: Int
    /// Index of the vendor that is asked.
    private(set) var current = 0
    /// Not asked again in this call: the key is wrong, the quota spent, the voice unknown.
    private var isFutile: Set<Int> = []

    /// `count`: at least one.
    init(count: Int) { self.count = count }

    /// The current one failed. The next, in order and from the start again, that is not in `tried` and that `admits`
    /// lets through becomes the current one; nil: there is none.
    mutating func failed(_ fault: Fault, tried: Set<Int>, admits: (Int) -> Bool) -> Int? {
        if fault.retry == .never { isFutile.insert(current) }
        return advance(tried: tried, admits: admits)
    }

    /// The one to ask first now: the current one, or the next if its breaker is open.
    mutating func first(admits: (Int) -> Bool) -> Int {
        if !isFutile.contains(current), admits(current) { return current }
        // When nobody is admitted, the current one is as good as any.
        return advance(tried: [current], admits: admits) ?? current
    }

    private mutating func advance(tried: Set<Int>, admits: (Int) -> Bool) -> Int? {
        for step in 1...count {
            let next = (current + step) % count
            guard !tried.contains(next), !isFutile.contains(next), admits(next) else { continue }
            current = next
            return next
        }
        return nil
    }

    /// The current one may be asked again after a failure.
    var mayRepeat: Bool { !isFutile.contains(current) }
}
