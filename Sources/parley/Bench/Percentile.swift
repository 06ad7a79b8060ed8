import Base

extension [Double] {
    /// Milliseconds to a tenth; null of none.
    func percentile(_ percent: Int) -> JSON {
        guard !isEmpty else { return nil }
        let value = sorted()[Swift.min(count - 1, count * percent / 100)]
        return .double((value * 10).rounded() / 10)
    }
}
