/// Logistic regression over terms, learned one call at a time, each weight at a pace of its own (AdaGrad). Terms that fall
/// on one place share a weight.
/// Source: Duchi, Hazan, Singer 2011, "Adaptive subgradient methods"; Weinberger et al. 2009, "Feature hashing".
struct LearnedWeights: Sendable {
    /// A power of two. With the squares 64 KB, once something was learned.
    private static let placesMax = 8_192
    private static let decay: Float = 0.001
    /// Squares before anything was seen: how fast the first steps are.
    private static let squaresBefore: Float = 0.1
    /// More was never learned.
    private static let weightMax: Float = 1_000
    private static let squareMax: Float = 1e9

    private let pace: Float
    private var weights: [Float] = []
    private var squares: [Float] = []

    init(pace: Float) { self.pace = pace }

    private static func place(_ term: UInt32) -> Int { Int(term) & (placesMax - 1) }

    /// Those that were learned, each with its place.
    func write(_ bytes: inout LearnedBytes) {
        let learned = weights.indices.filter { squares[$0] > Self.squaresBefore }
        bytes.append(UInt16(learned.count))
        for place in learned {
            bytes.append(UInt16(place))
            bytes.append(short: weights[place])
            bytes.append(short: squares[place])
        }
    }

    /// False where these are no such weights.
    mutating func read(_ bytes: inout LearnedBytes) -> Bool {
        guard let count: UInt16 = bytes.take(), count <= Self.placesMax else { return false }
        if count > 0 { begin() }
        for _ in 0..<count {
            guard let place: UInt16 = bytes.take(), place < Self.placesMax, let weight = bytes.takeShort(),
                let square = bytes.takeShort(), abs(weight) <= Self.weightMax,
                (0...Self.squareMax).contains(square), square > 0
            else { return false }
            weights[Int(place)] = weight
            squares[Int(place)] = square
        }
        return true
    }

    private mutating func begin() {
        weights = [Float](repeating: 0, count: Self.placesMax)
        squares = [Float](repeating: Self.squaresBefore, count: Self.placesMax)
    }

    func sum(_ terms: [UInt32]) -> Double {
        guard !weights.isEmpty, !terms.isEmpty else { return 0 }
        var sum: Float = 0
        for term in terms { sum += weights[Self.place(term)] }
        return Double(sum) / Double(terms.count).squareRoot()
    }

    mutating func learn(_ terms: [UInt32], _ error: Double) {
        if weights.isEmpty { begin() }
        let share = Float(error / Double(max(1, terms.count)).squareRoot())
        for term in terms {
            let place = Self.place(term)
            let step = share - Self.decay * weights[place]
            squares[place] += step * step
            weights[place] += pace * step / squares[place].squareRoot()
        }
    }
}

/// What is to be added to the trees' log odds by how large they are: their scale may be another for this tenant.
struct LearnedLine: Sendable {
    private static let pace = 0.1
    private static let decay = 0.001
    /// Log odds beyond it count as this.
    private static let oddsMax = 5.0
    /// Log odds that count as one.
    private static let unit = 3.0
    /// What the trees said counts less as calls are learned from, down to this share of it: at desks of a kind that they never
    /// saw they are sure of what is not so. At `halfway` calls it has lost half of the rest.
    private static let keptShare = 0.5
    private static let halfway = 100.0
    /// Neither weights nor calls come to more.
    private static let valueMax = 1e12

    private var weights = SIMD4<Double>()
    private var squares = SIMD4<Double>(repeating: 1)
    private var calls = 0.0

    func write(_ bytes: inout LearnedBytes) {
        for place in 0..<4 { bytes.append(weights[place]) }
        for place in 0..<4 { bytes.append(squares[place]) }
        bytes.append(calls)
    }

    /// False where this is no such line.
    mutating func read(_ bytes: inout LearnedBytes) -> Bool {
        var values: [Double] = []
        for _ in 0..<9 {
            guard let value: Double = bytes.take(), abs(value) <= Self.valueMax else { return false }
            values.append(value)
        }
        guard values[4...].allSatisfy({ $0 >= 0 }), values[4..<8].allSatisfy({ $0 > 0 }) else { return false }
        for place in 0..<4 { (weights[place], squares[place]) = (values[place], values[place + 4]) }
        calls = values[8]
        return true
    }

    private static func inputs(_ logOdds: Double) -> SIMD4<Double> {
        let odds = max(-oddsMax, min(oddsMax, logOdds)) / unit
        return SIMD4(odds, odds * odds, 1, 0)
    }

    func sum(_ logOdds: Double) -> Double {
        let lost = (1 - Self.keptShare) * calls / (calls + Self.halfway)
        return (weights * Self.inputs(logOdds)).sum() - lost * logOdds
    }

    mutating func learn(_ logOdds: Double, _ error: Double) {
        let step = error * Self.inputs(logOdds) - Self.decay * weights
        squares += step * step
        weights += Self.pace * step / squares.squareRoot()
        calls += 1
    }
}

/// Numbers one after another, little-endian.
struct LearnedBytes {
    private(set) var all: [UInt8] = []
    private var next = 0

    init() {}
    init(_ all: [UInt8]) { self.all = all }

    var isEmpty: Bool { next == all.count }

    mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { all.append(contentsOf: $0) }
    }
    mutating func append(_ value: Double) { append(value.bitPattern) }
    /// The upper half of its bits.
    mutating func append(short value: Float) { append(UInt16(value.bitPattern >> 16)) }

    mutating func take<Value: FixedWidthInteger>() -> Value? {
        let size = MemoryLayout<Value>.size
        guard next + size <= all.count else { return nil }
        defer { next += size }
        return (0..<size).reversed().reduce(0) { $0 << 8 | Value(truncatingIfNeeded: all[next + $1]) }
    }
    mutating func take() -> Double? {
        let pattern: UInt64? = take()
        return pattern.map { Double(bitPattern: $0) }
    }
    mutating func takeShort() -> Float? {
        let half: UInt16? = take()
        return half.map { Float(bitPattern: UInt32($0) << 16) }
    }
}
