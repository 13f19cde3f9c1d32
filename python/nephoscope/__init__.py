from nephoscope.scenario import Scenario
