package dev.greenfield.engine;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Observable;
import dev.greenfield.model.ModelSource;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Yardstick;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Attention by tiles of columns is attention. */
class ColumnTilesTest {
    private static final String MODEL = "random:2,2,24,19,16,seed=5";
    private static final int[] TOKENS = {3, 17, 9, 4, 11, 2, 8};

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @Test
    void tilesHoldAllColumnsOnceAndFewRows() {
        int[] first = {0, 0, 1, 2, 2, 3, 3, 3};
        int[] last = {6, 6, 6, 6, 6, 6, 5, 3};
        RaggedRows rows = RaggedRows.of(7, first, last);
        Backend reference = leaks.closing(Backends.REFERENCE.open());
        for (int together : new int[] {1, 3}) {
            for (int wanted : new int[] {1, 7, 12, 20, 1000}) {
                Backend backend = preferring(
                        reference, Map.of("preferredAttentionRows", wanted, "preferredAttentionColumns", together));
                List<Integer> seen = new ArrayList<>();
                ColumnTiles.forEach(backend, rows, tile -> {
                    assertThat((long) tile.rows()).isLessThanOrEqualTo(ColumnTiles.mostRows(backend, rows.rows(), 7));
                    assertThat(tile.isPart()).isEqualTo(wanted < 1000);
                    assertThat(tile.whole()).isSameAs(rows);
                    boolean lastTile = tile.firstColumn() + tile.columns() == rows.columns();
                    assertThat(lastTile || tile.columns() % together == 0).isTrue();
                    for (int c = 0; c < tile.columns(); c++) {
                        int column = tile.firstColumn() + c;
                        assertThat(tile.first(c)).isEqualTo(first[column]);
                        assertThat(tile.last(c)).isEqualTo(last[column]);
                        for (int t = first[column]; t <= last[column]; t++) {
                            assertThat(tile.rowInWhole(tile.row(t, c))).isEqualTo(rows.row(t, column));
                        }
                        seen.add(column);
                    }
                });
                assertThat(seen).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
            }
        }
    }

    /** The backend, but with other preferences, by the names of their methods. */
    static Backend preferring(Backend backend, Map<String, ? extends Number> preferences) {
        return (Backend) Proxy.newProxyInstance(
                ColumnTilesTest.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, arguments) -> {
                    if (preferences.containsKey(method.getName())) {
                        return preferences.get(method.getName());
                    }
                    try {
                        return method.invoke(backend, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private static Map<String, double[]> results(Backend backend) throws IOException {
        Map<String, double[]> results = new LinkedHashMap<>();
        try (ModelSource source = ModelSource.open(MODEL);
                DeviceModel model = new DeviceModel(source, backend);
                Linearization run = new Linearization(model, TOKENS)) {
            for (String sweep : List.of("tangents", "cotangents", "patched", "replaced")) {
                boolean up = !sweep.equals("cotangents");
                Seeds seeds = new Seeds();
                for (int c = 0; c < 17; c++) {
                    seeds.column(new HalfDepth(up ? c % 3 : 4 - c % 3), 1 + c % 5, normal(c, 24));
                }
                double[] values =
                        new double[5 * 17]; // of levels and columns; newborn columns are seen apart from others
                Visitor visitor = (level, rows, columns, x) -> {
                    double[] squares = new double[rows.rows()];
                    backend.squaredNorms(x, squares, 0);
                    for (int c = 0; c < columns.length; c++) {
                        for (int t = Math.max(2, rows.first(c)); t <= rows.last(c); t++) {
                            values[level.index() * 17 + columns[c]] += (1 + 0.1 * t) * squares[rows.row(t, c)];
                        }
                    }
                };
                HalfDepth top = HalfDepth.ofDepth(2);
                switch (sweep) {
                    case "tangents" -> new Sweep(run).tangents(seeds, top, 2, 6, visitor);
                    case "cotangents" -> new Sweep(run).cotangents(seeds, HalfDepth.ofDepth(0), 0, visitor);
                    default -> new Sweep(run).patchedRuns(seeds, sweep.equals("replaced"), top, 2, 6, visitor);
                }
                results.put(sweep, values);
            }
            Readout.Resolved f = new Readout.Resolved(Observable.Kind.LOGIT_DIFFERENCE, 3, 1, null, 5);
            results.put("value", new double[] {new Readout(model).value(run, f)});
        }
        return results;
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void fewRowsAtATimeFindWhatAllFind(Backends kind) throws IOException {
        Map<String, double[]> oracle = results(leaks.closing(Backends.REFERENCE.open()));
        Map<String, double[]> single = results(leaks.closing(Backends.single()));
        for (int rows : new int[] {1, 20}) {
            Backend backend = preferring(
                    leaks.closing(kind.open()),
                    Map.of("preferredAttentionRows", rows, "preferredAttentionColumns", rows == 1 ? 1 : 2));
            results(backend).forEach((name, values) -> {
                if (kind == Backends.REFERENCE) {
                    assertThat(Errors.relative(values, oracle.get(name)))
                            .as(name)
                            .isLessThan(1e-13);
                } else {
                    Yardstick.check(kind + " tiles " + name, values, oracle.get(name), single.get(name));
                }
            });
        }
    }
}
