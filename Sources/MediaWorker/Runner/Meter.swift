import Base

/// What a call has used since its epoch's media began. Pure; every quantity only grows.
struct Meter {
    private struct Key: Hashable {
        var component: Usage.Component
        var source: String
        var unit: Usage.Unit
    }

    private var totals: [Key: Int64] = [:]
    /// The recognisers' own cumulative counts: one that nobody reached has heard nothing.
    private var recognised: [String: Usage] = [:]

    mutating func add(_ usage: Usage) {
        guard usage.quantity > 0 else { return }
        totals[Key(component: usage.component, source: usage.source, unit: usage.unit), default: 0] +=
            usage.quantity
    }

    /// Cumulative, from the recogniser itself; a call may have several, one after another.
    mutating func setRecognised(_ usage: Usage) { recognised[usage.source] = usage }

    /// Everything, for a report; in a fixed order.
    func usage(connectedMs: Int, carrier: String) -> [Usage] {
        var all = [
            Usage(component: .telephony, source: carrier, unit: .milliseconds, quantity: Int64(connectedMs)),
            Usage(component: .platform, source: "parley", unit: .milliseconds, quantity: Int64(connectedMs)),
        ]
        all += recognised.values
        all += totals.map {
            Usage(component: $0.key.component, source: $0.key.source, unit: $0.key.unit, quantity: $0.value)
        }
        return all.filter { $0.quantity > 0 }.sorted {
            ($0.component.rawValue, $0.source, $0.unit.rawValue) < (
                $1.component.rawValue, $1.source, $1.unit.rawValue
            )
        }
    }
}
