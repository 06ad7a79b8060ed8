package import Metrics
import Synchronization

/// Where swift-metrics' numbers go, and the text they are scraped as.
///
/// Timers and aggregating recorders are histograms; timers are shown in seconds. Series are kept for the life of the
/// process, so dimensions must come from small sets (a route's template, never a path).
/// Source: Prometheus text exposition format 0.0.4.
package final class Prometheus: MetricsFactory {
    /// Series beyond this are counted together without dimensions: a mistake in a label must not eat the memory.
    package static let seriesMax = 10_000
    /// Upper bounds of the buckets, seconds for timers.
    static let buckets: [Double] = [
        0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 100, 1000, 10_000,
    ]

    private let series = Mutex<[SeriesKey: any Series]>([:])

    package init() {}

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(label, dimensions) { Count() }
    }
    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        if aggregate { return find(label, dimensions) { Histogram() } }
        return find(label, dimensions) { Gauge() }
    }
    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        find(label, dimensions) { Gauge() }
    }
    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(label, dimensions) { Histogram() }
    }
    // Kept: a counter that vanishes and comes back looks like a restart.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    private func find<Kind: Series>(
        _ label: String, _ dimensions: [(String, String)], _ make: () -> Kind
    ) -> Kind {
        let key = SeriesKey(label: label, dimensions: dimensions)
        return series.withLock { series in
            if let known = series[key] as? Kind { return known }
            // Also reached when a label is used for two kinds: the second is counted, and not shown.
            if series[key] != nil { return make() }
            guard series.count < Self.seriesMax else {
                let plain = SeriesKey(label: label, dimensions: [])
                if let known = series[plain] as? Kind { return known }
                let made = make()
                if series[plain] == nil { series[plain] = made }
                return made
            }
            let made = make()
            series[key] = made
            return made
        }
    }

    /// The exposition, series sorted by name, then by their labels.
    package var text: String {
        let all = series.withLock { $0 }
        var out = ""
        var last = ""
        for (key, one) in all.sorted(by: { $0.key < $1.key }) {
            if key.name != last {
                out += "# TYPE \(key.name) \(one.kind)\n"
                last = key.name
            }
            one.write(name: key.name, labels: key.labels, to: &out)
        }
        return out
    }
}

/// A metric's name and labels, as they are shown.
private struct SeriesKey: Hashable, Comparable {
    let name: String
    /// `route="/v1/agents",method="GET"`, without braces.
    let labels: String

    init(label: String, dimensions: [(String, String)]) {
        name = Self.name(label)
        labels = dimensions.map { "\(Self.name($0.0))=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
    }

    static func < (a: SeriesKey, b: SeriesKey) -> Bool { (a.name, a.labels) < (b.name, b.labels) }

    // Looked up with every measurement: what can stay as it is costs a look.
    private static func name(_ text: String) -> String {
        let isName = text.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F }
        guard !isName else { return text }
        let mapped = text.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") ? $0 : "_" }
        return mapped.first?.isNumber == true ? "_" + String(mapped) : String(mapped)
    }
    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return text }
        return text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}

private protocol Series: AnyObject, Sendable {
    var kind: String { get }
    func write(name: String, labels: String, to out: inout String)
}

private func line(_ name: String, _ labels: String, _ value: String) -> String {
    (labels.isEmpty ? name : "\(name){\(labels)}") + " \(value)\n"
}

private final class Count: Series, CounterHandler {
    private let value = Mutex<Int64>(0)
    let kind = "counter"
    func increment(by amount: Int64) { value.withLock { $0 &+= amount } }
    func reset() { value.withLock { $0 = 0 } }
    func write(name: String, labels: String, to out: inout String) {
        out += line(name, labels, String(value.withLock { $0 }))
    }
}

private final class Gauge: Series, MeterHandler, RecorderHandler {
    private let value = Mutex<Double>(0)
    let kind = "gauge"
    func set(_ new: Int64) { value.withLock { $0 = Double(new) } }
    func set(_ new: Double) { value.withLock { $0 = new } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ new: Int64) { set(new) }
    func record(_ new: Double) { set(new) }
    func write(name: String, labels: String, to out: inout String) {
        out += line(name, labels, "\(value.withLock { $0 })")
    }
}

private final class Histogram: Series, TimerHandler, RecorderHandler {
    private struct State {
        var counts = [UInt64](repeating: 0, count: Prometheus.buckets.count)
        var count: UInt64 = 0
        var sum = 0.0
    }
    private let state = Mutex(State())
    let kind = "histogram"

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1_000_000_000) }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) {
        state.withLock { state in
            if let bucket = Prometheus.buckets.firstIndex(where: { value <= $0 }) {
                state.counts[bucket] += 1
            }
            state.count += 1
            state.sum += value
        }
    }

    func write(name: String, labels: String, to out: inout String) {
        let state = state.withLock { $0 }
        let prefix = labels.isEmpty ? "" : labels + ","
        var total: UInt64 = 0
        for (bound, count) in zip(Prometheus.buckets, state.counts) {
            total += count
            out += line(name + "_bucket", prefix + "le=\"\(bound)\"", String(total))
        }
        out += line(name + "_bucket", prefix + "le=\"+Inf\"", String(state.count))
        out += line(name + "_sum", labels, "\(state.sum)")
        out += line(name + "_count", labels, String(state.count))
    }
}
