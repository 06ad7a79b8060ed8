import Base
import Glibc

/// How likely the agent's next act is a tool call: regression trees over `RoutingFeatures`, calibrated apart for calls
/// that answer the user and calls that follow a tool's result.
///
/// Trained by `models/router/train.py`, whose README has data, licences and figures.
package struct ToolOdds: Sendable {
    /// A step of a tree: a leaf holds a weight, any other asks for a feature.
    private struct Node {
        /// Below 0 for a leaf.
        var feature: Int16
        /// Where to go on if the feature is above `threshold`; else it is the next node.
        var right: Int16
        /// For a leaf its weight in `unit`.
        var threshold: Double
    }

    private var nodes: [Node] = []
    private var roots: [Int] = []
    private var base = 0.0
    private var unit = 1.0
    private var user = Line()
    private var tool = Line()

    private struct Line {
        var slope = 1.0
        var offset = 0.0
    }

    /// Nodes of all trees, and of one tree.
    static let nodesMax = 200_000
    static let treeNodesMax = 2_000

    /// The weights that are shipped.
    package static let shipped: ToolOdds? = try? ToolOdds(text: ToolOddsWeights.text)

    /// No trees: even odds for every call.
    package init() {}

    /// As `train.py` writes them.
    ///
    /// - Throws: `unreadableWeights`, also where they were trained on other features than those of this version.
    package init(text: String) throws(RoutingProblem) {
        guard let file = JSON(parsing: text) else { throw .unreadableWeights("not JSON") }
        let names = (file["features"]?.array ?? []).compactMap(\.string)
        guard names == RoutingFeatures.names else { throw .unreadableWeights("trained on other features") }
        guard let base = file["base"]?.number, let unit = file["unit"]?.number else {
            throw .unreadableWeights("base and unit")
        }
        self.base = base
        self.unit = unit
        user = try Self.line(file["user"])
        tool = try Self.line(file["tool"])
        for tree in file["trees"]?.array ?? [] { try add(tree.array ?? []) }
        guard !roots.isEmpty else { throw .unreadableWeights("no trees") }
    }

    /// Two numbers a node, feature and threshold (a leaf: -1 and weight), each node before its left side before its right.
    private mutating func add(_ numbers: [JSON]) throws(RoutingProblem) {
        let count = numbers.count / 2
        guard count > 0, numbers.count % 2 == 0, count <= Self.treeNodesMax,
            nodes.count + count <= Self.nodesMax
        else { throw .unreadableWeights("a tree's size") }
        let root = nodes.count
        roots.append(root)
        var open: [Int] = []  // Their right sides have not begun.
        for place in 0..<count {
            guard let feature = numbers[place * 2].int, let threshold = numbers[place * 2 + 1].number,
                feature >= -1, feature < Int64(RoutingFeatures.names.count)
            else { throw .unreadableWeights("node \(place) of tree \(roots.count)") }
            nodes.append(Node(feature: Int16(feature), right: 0, threshold: threshold))
            if feature >= 0 {
                open.append(root + place)
            } else if place + 1 < count {
                guard let parent = open.popLast() else {
                    throw .unreadableWeights("tree \(roots.count) goes on")
                }
                nodes[parent].right = Int16(place + 1)
            }
        }
        guard open.isEmpty, nodes[nodes.count - 1].feature < 0 else {
            throw .unreadableWeights("tree \(roots.count) has no end")
        }
    }

    private static func line(_ entry: JSON?) throws(RoutingProblem) -> Line {
        guard let slope = entry?["slope"]?.number, let offset = entry?["offset"]?.number else {
            throw .unreadableWeights("calibration")
        }
        return Line(slope: slope, offset: offset)
    }

    /// What the trees say of one call.
    package struct Judgement: Hashable, Sendable {
        /// Of a tool call.
        package var logOdds: Double
        /// The leaf that each tree came to, as its place among the nodes of all: what a tenant's calls give weights of their own.
        package var leaves: [UInt32]

        package init(logOdds: Double, leaves: [UInt32] = []) {
            self.logOdds = logOdds
            self.leaves = leaves
        }
    }

    package func judge(_ features: RoutingFeatures) -> Judgement {
        var weight = 0.0
        var leaves: [UInt32] = []
        leaves.reserveCapacity(roots.count)
        features.values.withUnsafeBufferPointer { values in
            nodes.withUnsafeBufferPointer { nodes in
                for root in roots {
                    var node = root
                    while nodes[node].feature >= 0 {
                        let isLeft = Double(values[Int(nodes[node].feature)]) <= nodes[node].threshold
                        node = isLeft ? node + 1 : root + Int(nodes[node].right)
                    }
                    weight += nodes[node].threshold
                    leaves.append(UInt32(node))
                }
            }
        }
        let line = features.followsTool ? tool : user
        return Judgement(logOdds: (base + weight * unit) * line.slope + line.offset, leaves: leaves)
    }

    package static func probability(_ logOdds: Double) -> Double { 1 / (1 + exp(-logOdds)) }
}
