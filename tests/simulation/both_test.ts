import { testSeeds } from "./test_seeds.ts";

testSeeds("both");
