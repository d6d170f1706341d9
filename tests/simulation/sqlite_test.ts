import { testSeeds } from "./test_seeds.ts";

testSeeds("sqlite");
